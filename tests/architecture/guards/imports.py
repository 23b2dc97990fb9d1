"""The import contracts of ``pyproject.toml``, checked by import-linter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path


def contract_names(project: Path) -> list[str]:
    """Return the names of the contracts."""
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def broken_contracts(project: Path) -> list[str]:
    """Find the contracts that the source below ``project`` breaks.

    Raises:
        RuntimeError: If import-linter ended without a verdict on every contract.
    """
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {
        name: re.search(rf"^{re.escape(name)} (KEPT|BROKEN)", result.stdout, re.MULTILINE)
        for name in contract_names(project)
    }
    silent = [name for name, verdict in verdicts.items() if verdict is None]
    if silent:
        raise RuntimeError(f"no verdict on {silent[0]!r}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return [name for name, verdict in verdicts.items() if verdict and verdict.group(1) == "BROKEN"]
