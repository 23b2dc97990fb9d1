"""What a user sees of the hooks: one line, and an exit code that is not zero."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--params", "minature.seed=7,root={root}"],
            "error: --params: unknown parameter 'minature'; did you mean 'miniature'?",
        ),
        (
            ["--params", "working_set.per_bin=-1,root={root}"],
            "error: params:working_set.per_bin: input should be greater than 0 (got -1)",
        ),
        (
            ["--params", "corpus={root}/nowhere,root={root}"],
            "error: there is no corpus at {root}/nowhere: give a folder of shards with --params corpus=DIR",
        ),
        (
            ["--env", "tset"],
            f"error: Given configuration path either does not exist or is not a valid directory: {PROJECT}/conf/tset",
        ),
    ],
    ids=["unknown parameter", "negative size", "no corpus", "unknown environment"],
)
def test_a_mistake_ends_in_one_line(tmp_path: Path, options: list[str], line: str) -> None:
    command = [sys.executable, "-m", "kedro", "run", "--env", "test", "--pipelines", "corpus,taxonomy"]
    command += [option.format(root=tmp_path) for option in options]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1] == line.format(root=tmp_path)
    assert "Traceback" not in result.stderr
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".parquet", ".json")]
