"""How long does ``kedro registry list`` take, against the same command in an empty project?

Prints one JSON object: seconds of each repetition, in turns, and the ratio of the medians.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
REPETITIONS = 5
FILES = {
    "pyproject.toml": '[tool.kedro]\npackage_name = "empty"\nproject_name = "Empty"\nkedro_init_version = "1.7.0"\n',
    ".telemetry": "consent: false\n",
    "src/empty/__init__.py": "",
    "src/empty/settings.py": "",
    "src/empty/pipeline_registry.py": (
        "from kedro.pipeline import Pipeline\n\n\ndef register_pipelines():\n    return {'__default__': Pipeline([])}\n"
    ),
    "conf/base/catalog.yml": "",
    "conf/base/parameters.yml": "",
    "conf/local/.gitkeep": "",
}


def seconds(folder: Path) -> float:
    """Return the wall time of the command in a project."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "kedro", "registry", "list"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure both in turns."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        for path, text in FILES.items():
            (empty / path).parent.mkdir(parents=True, exist_ok=True)
            (empty / path).write_text(text)
        for folder in (empty, PROJECT):
            seconds(folder)  # once for the caches
        turns = [(seconds(empty), seconds(PROJECT)) for _ in range(REPETITIONS)]
    empties, ours = zip(*turns, strict=True)
    ratio = statistics.median(ours) / statistics.median(empties)
    print(json.dumps({"empty_s": empties, "ours_s": ours, "ratio_of_medians": round(ratio, 3)}))


if __name__ == "__main__":
    main()
