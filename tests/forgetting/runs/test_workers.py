"""Who carries out a run changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of_path
from social_provenance.forgetting.runs.workers import devices_of, execute_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from social_provenance.forgetting.runs.run import Bench

    Maker = Callable[..., Bench]


class Deadly:
    """Ends the process that it is sent to."""

    def __reduce__(self) -> Any:
        return os._exit, (1,)


@pytest.fixture
def tasks_in(plan: pd.DataFrame, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Return a function that gives every run of the plan an empty folder."""

    def make(name: str) -> dict[str, Any]:
        tasks = {row["run_id"]: (row, tmp_path / name / row["run_id"]) for row in plan.to_dict("records")}
        for _, folder in tasks.values():
            folder.mkdir(parents=True)
        return tasks

    return make


@pytest.mark.usefixtures("quick_spawn")  # test_kills.py compares bytes of processes that are spawned
def test_two_processes_leave_the_bytes_that_one_leaves(
    make_bench: Maker, tasks_in: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    alone, spread = tasks_in("alone"), tasks_in("spread")
    assert list(execute_runs(make_bench(), alone)) == list(alone)
    assert sorted(execute_runs(make_bench(processes=2), spread)) == sorted(spread)
    assert digest_of_path(tmp_path / "alone") == digest_of_path(tmp_path / "spread")


@pytest.mark.usefixtures("quick_spawn")
def test_a_process_that_dies_is_told_with_what_to_do(
    make_bench: Maker, tasks_in: Callable[[str], dict[str, Any]]
) -> None:
    said = r"one of 2 processes died, .*: lower unlearning\.processes and run again; finished runs are kept"
    with pytest.raises(UnlearningError, match=said):
        list(execute_runs(make_bench(processes=2, tokens=Deadly()), tasks_in("dead")))


@pytest.mark.usefixtures("quick_spawn")
def test_a_fault_in_another_process_is_told_as_in_this_one(
    make_bench: Maker, tasks_in: Callable[[str], dict[str, Any]], tokens: dict[str, list[int]]
) -> None:
    short = {**tokens, "rod": tokens["rod"][:1]}
    for processes in (1, 2):
        with pytest.raises(UnlearningError, match="document 0 of the retain set has 1 token"):
            list(execute_runs(make_bench(processes=processes, tokens=short), tasks_in(f"short {processes}")))


def test_a_single_run_needs_no_other_process(
    make_bench: Maker, tasks_in: Callable[[str], dict[str, Any]], tokens: dict[str, list[int]]
) -> None:
    class Here(dict[str, list[int]]):
        def __reduce__(self) -> Any:
            raise AssertionError("sent to another process")

    (name, task), *_ = tasks_in("one").items()
    assert list(execute_runs(make_bench(processes=4, tokens=Here(tokens)), {name: task})) == [name]


@pytest.mark.parametrize(
    ("visible", "count", "expected"),
    [
        ("0,1", 3, ["0", "1", "0"]),
        ("GPU-a,GPU-b", 2, ["GPU-a", "GPU-b"]),
        ("5", 2, ["5", "5"]),
        ("", 2, [None, None]),
    ],
)
def test_devices_are_given_in_turn(
    monkeypatch: pytest.MonkeyPatch, visible: str, count: int, expected: list[str | None]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices_of(count) == expected


@pytest.mark.parametrize(("found", "expected"), [(0, [None, None, None]), (2, ["0", "1", "0"])])
def test_all_devices_are_used_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, found: int, expected: list[str | None]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: found)
    assert devices_of(3) == expected
