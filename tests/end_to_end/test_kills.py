"""A run that is killed leaves nobody behind, and the same command ends as if nothing had happened.

``-m campaign`` kills 20 runs at seeded moments, half of them anywhere in a study and half in its unlearning; three of
the latter, one after another, are always tried.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROC = Path("/proc")
WAIT = 900.0
MODES = ["kill main", "term main", "int group", "term group", "kill group"]
"""Signal, and whether it is sent to the run alone or to its group, as a terminal does."""
RUNS = "06_models/unlearned_models"
STARTED = "Running node: "
NODES = 60
"""Nodes among which a moment is drawn; a study has more."""
LOST = 10
"""Runs of the finished study that are taken away and have to be done again; a kill waits for at most two of them."""


@pytest.fixture
def unfinished(test_study: Path, tmp_path: Path) -> Path:
    """Return a copy of the study without some of its unlearning runs and all that follows from them."""
    root = shutil.copytree(test_study, tmp_path / "data")
    plan = pd.read_parquet(root / "05_model_input/unlearning_plan.parquet")
    for run_id in plan["run_id"][:LOST]:
        shutil.rmtree(root / RUNS / run_id)
    ledger = json.loads((root / "lineage.json").read_text())
    del ledger["unlearned_models"]
    (root / "lineage.json").write_text(json.dumps(ledger))
    for table in root.glob("0*/unlearning_*.parquet"):
        if table.name not in ("unlearning_plan.parquet", "unlearning_balance.parquet"):
            table.unlink()
    return root


def processes_of(group: int) -> list[int]:
    """Return the living processes of a group."""
    found = []
    for process in PROC.glob("[0-9]*"):
        try:
            state, _, of_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(process.name))
    return found


def kill_one(kedro: Callable[..., Any], root: Path, mode: str, number: int) -> None:
    """Kill a run at a seeded moment of the unlearning, and check what it leaves."""
    rng = random.Random(f"{mode} {number}")
    runs = root / RUNS
    sealed = len(list(runs.glob("*/done.json"))) + rng.randrange(3)

    def has_come(log: Path) -> bool:
        begun = f"{STARTED}forget_documents" in log.read_text() and list(runs.glob("*.part"))
        return bool(begun) and len(list(runs.glob("*/done.json"))) >= sealed

    given = f"root={root},unlearning.processes=2"
    kill_at(kedro, ["--pipelines", "unlearning", "--params", given], mode, has_come, rng.uniform(0, 0.3))


def kill_at(
    kedro: Callable[..., Any], options: list[str], mode: str, has_come: Callable[[Path], bool], delay: float
) -> None:
    """Kill a run some seconds after its moment has come, which is seen in the folder or in the log, and check it."""
    name, _, to = mode.partition(" ")
    signum = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT}[name]
    left: list[list[int]] = []

    def interrupt(pid: int, log: Path) -> None:
        end = time.monotonic() + WAIT
        while not has_come(log):
            assert (PROC / str(pid)).exists(), "the run ended before its moment came"
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(delay)
        (os.killpg if to == "group" else os.kill)(pid, signum)
        end = time.monotonic() + 2
        while processes_of(pid) and time.monotonic() < end:
            time.sleep(0.05)
        left.append(processes_of(pid))

    ended = kedro("run", "--env", "test", *options, meanwhile=interrupt)
    assert left == [[]]
    assert ended.returncode == (-signum if name == "kill" else 128 + signum)
    assert "Traceback" not in ended.stderr
    if name != "kill":
        said = f"stopped by {signum.name}: finished parts are kept, the same command goes on"
        assert ended.stderr.splitlines().count(said) == 1


def check_recovery(kedro: Callable[..., Any], root: Path, modes: list[str], number: int) -> None:
    """Kill a run once for each mode, and run it to its end; what was finished stays."""
    for mode in modes:
        kill_one(kedro, root, mode, number)
    sealed = {mark: mark.stat().st_ino for mark in (root / RUNS).glob("*/done.json")}
    ended = kedro("run", "--env", "test", "--pipelines", "unlearning", "--params", f"root={root}")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert {mark: mark.stat().st_ino for mark in sealed} == sealed


@pytest.fixture
def is_whole(test_study: Path, contents: Callable[[Path], dict[str, str]]) -> Callable[[Path], None]:
    """Return a function that compares a root with the undisturbed study."""

    def compare(root: Path) -> None:
        expected, found = contents(test_study), contents(root)
        assert found.keys() == expected.keys()
        assert [name for name in expected if found[name] != expected[name]] == []

    return compare


@pytest.mark.slow
def test_killed_runs_leave_no_process_and_the_next_one_ends_as_if_nothing_had_happened(
    kedro: Callable[..., Any], unfinished: Path, is_whole: Callable[[Path], None]
) -> None:
    check_recovery(kedro, unfinished, MODES[:3], 21)  # each as soon as one more run is finished
    is_whole(unfinished)


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(1, 11))
def test_campaign_in_unlearning(
    kedro: Callable[..., Any], unfinished: Path, is_whole: Callable[[Path], None], number: int
) -> None:
    rng = random.Random(number)
    check_recovery(kedro, unfinished, rng.sample(MODES, rng.choice([1, 1, 2])), number)
    is_whole(unfinished)


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(11, 21))
def test_campaign_anywhere(
    kedro: Callable[..., Any], is_whole: Callable[[Path], None], tmp_path: Path, number: int
) -> None:
    rng = random.Random(number)
    options = ["--params", f"root={tmp_path / 'data'},unlearning.processes=2"]
    for mode in rng.sample(MODES, rng.choice([1, 1, 2])):
        node = rng.randrange(NODES)
        kill_at(kedro, options, mode, lambda log, node=node: log.read_text().count(STARTED) > node, rng.uniform(0, 3))
    ended = kedro("run", "--env", "test", *options)
    assert ended.returncode == 0, ended.stderr[-2000:]
    is_whole(tmp_path / "data")
