"""How long does a study take, and how much memory? Prints one JSON object.

Usage: python benchmarks/default_study.py [ENVIRONMENT] [name=value,...]

Memory is that of all processes together, pages that several share counted once (proportional set size),
looked at twice a second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]


def main(environment: str = "base", params: str = "") -> None:
    """Run a study into a fresh folder and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        given = ",".join(part for part in (f"root={root}", params) if part)
        start = time.perf_counter()
        command = [sys.executable, "-m", "kedro", "run", "--env", environment, "--params", given]
        with (Path(folder) / "log").open("w") as log:
            process = psutil.Popen(command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, held_by(process))
            time.sleep(0.5)
        wall = time.perf_counter() - start
        if process.returncode:
            sys.exit((Path(folder) / "log").read_text()[-2000:])
        validation = json.loads((root / "08_reporting/validation.json").read_text())
    areas = {
        benchmark: figures["topic_auc"]
        for benchmark, figures in validation["methods"][validation["default_method"]].items()
    }
    print(json.dumps({"wall_s": round(wall, 1), "peak_gib": round(peak / 2**30, 2), "topic_auc": areas}))


def held_by(process: psutil.Process) -> int:
    """Return the bytes that a process and its children hold; those that end meanwhile hold none."""
    held = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                held += one.memory_full_info().pss
    return held


if __name__ == "__main__":
    main(*sys.argv[1:])
