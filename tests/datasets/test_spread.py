"""Tasks: the same results here and in other processes, and an error comes through."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from social_provenance.datasets.spread import SMALL, in_processes, spread_over
from social_provenance.documents.records import in_turn
from social_provenance.documents.shards import find_shards
from social_provenance.errors import CorpusError

# Tasks of modules that any process can import; one that starts anew does not know this file.
SQUARES = {str(number): partial(pow, number, 2) for number in range(6)}
TASKS = dict.fromkeys(SQUARES, os.getpid)


def test_other_processes_give_the_same_results() -> None:
    assert dict(in_processes(SQUARES, 2)) == dict(in_turn(SQUARES)) == {str(n): n * n for n in range(6)}
    assert os.getpid() not in dict(in_processes(TASKS, 2)).values()
    assert set(dict(in_turn(TASKS)).values()) == {os.getpid()}


def test_processes_end_with_their_tasks() -> None:
    processes = set(dict(in_processes(TASKS, 2)).values())
    assert [process for process in processes if Path(f"/proc/{process}").exists()] == []


def test_an_error_in_another_process_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no corpus"):
        list(in_processes({"a": partial(find_shards, str(tmp_path / "none")), "b": partial(pow, 2, 2)}, 2))


@pytest.mark.parametrize(
    ("connection", "size", "apart"),
    [
        ({"backend": "duckdb", "threads": 2}, SMALL, True),
        ({"backend": "duckdb", "threads": 2}, 0, True),
        ({"backend": "duckdb", "threads": 2}, 10, False),
        ({"backend": "duckdb", "threads": 1}, SMALL, False),
        ({"backend": "duckdb"}, SMALL, False),
    ],
)
def test_processes_are_started_where_they_pay(connection: dict[str, Any], size: int, apart: bool) -> None:
    spread = spread_over(connection, dict.fromkeys(TASKS, size))
    processes = {process for _, process in spread(TASKS)}
    assert (processes == {os.getpid()}) is not apart
