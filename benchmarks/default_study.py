"""How long does a study take, and how much memory? Prints one JSON object.

Usage: python benchmarks/default_study.py [ENVIRONMENT] [name=value,...]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def main(environment: str = "base", params: str = "") -> None:
    """Run a study into a fresh folder and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        given = ",".join(part for part in (f"root={root}", params) if part)
        start = time.perf_counter()
        command = [sys.executable, "-m", "kedro", "run", "--env", environment, "--params", given]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        wall = time.perf_counter() - start
        validation = json.loads((root / "08_reporting/validation.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    areas = {
        benchmark: figures["topic_auc"]
        for benchmark, figures in validation["methods"][validation["default_method"]].items()
    }
    print(json.dumps({"wall_s": round(wall, 1), "peak_gib": round(peak, 2), "topic_auc": areas}))


if __name__ == "__main__":
    main(*sys.argv[1:])
