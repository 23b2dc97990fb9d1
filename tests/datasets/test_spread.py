"""Tasks: the same results here and in other processes, and an error comes through."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from social_provenance.datasets.spread import SMALL, in_processes, in_turn, spread_over
from social_provenance.errors import CorpusError


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fail() -> None:
    raise CorpusError("this shard is bad")


TASKS = {str(number): partial(square, number) for number in range(6)}


def test_other_processes_give_the_same_results() -> None:
    here, there = dict(in_turn(TASKS)), dict(in_processes(TASKS, 2))
    assert {name: value for name, (value, _) in here.items()} == {name: value for name, (value, _) in there.items()}
    assert os.getpid() not in {process for _, process in there.values()}


def test_processes_end_with_their_tasks() -> None:
    processes = {process for _, (_, process) in in_processes(TASKS, 2)}
    assert [process for process in processes if Path(f"/proc/{process}").exists()] == []


def test_an_error_in_another_process_is_raised_here() -> None:
    with pytest.raises(CorpusError, match="this shard is bad"):
        list(in_processes({"a": fail, "b": partial(square, 2)}, 2))


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
    processes = {process for _, (_, process) in spread(TASKS)}
    assert (processes == {os.getpid()}) is not apart
