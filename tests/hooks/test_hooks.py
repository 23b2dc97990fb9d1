"""What a user sees of an error that comes before any pipeline runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_an_error_within_a_hook_is_one_line_too() -> None:
    command = [sys.executable, "-m", "kedro", "run", "--env", "tset", "--pipelines", "corpus"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert line == f"error: --env: there is no environment 'tset' in {PROJECT}/conf; did you mean 'test'?"
