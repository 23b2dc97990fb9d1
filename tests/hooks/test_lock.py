"""One run at a time in a data folder, and none kept out by one that is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DataCatalog

from social_provenance.errors import ArtifactError
from social_provenance.hooks.lock import LOCK, LockHooks, take

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = (
    "import sys, time; from pathlib import Path; from social_provenance.hooks.lock import take; "
    "held = take(Path(sys.argv[1])); sys.stdout.write('held\\n'); sys.stdout.flush(); time.sleep(600)"
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Any]:
    """Return a process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_refused_and_told_who_is_there(other: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=rf"another run is using .* \(process {other.pid} on .*root=DIR"):
        take(tmp_path)


def test_a_killed_run_keeps_nobody_out(other: Any, tmp_path: Path) -> None:
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    take(tmp_path).close()
    assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} ")


@pytest.mark.usefixtures("other")
def test_another_folder_is_free(tmp_path: Path) -> None:
    take(tmp_path / "elsewhere").close()


def catalog(folder: Path) -> DataCatalog:
    ledger = {"type": "json.JSONDataset"}
    entry = {"type": "social_provenance.datasets.OptionalDataset", "filepath": f"{folder}/lineage.json"}
    return DataCatalog.from_config({"lineage": {**entry, "dataset": ledger}})


@pytest.mark.parametrize("ending", ["after_pipeline_run", "on_pipeline_error"])
def test_a_run_holds_its_folder_until_it_ends(tmp_path: Path, ending: str) -> None:
    hooks = LockHooks()
    hooks.before_pipeline_run(catalog=catalog(tmp_path))
    with pytest.raises(ArtifactError, match="another run is using"):
        LockHooks().before_pipeline_run(catalog=catalog(tmp_path))
    getattr(hooks, ending)()
    take(tmp_path).close()


def test_a_node_that_does_not_lead_takes_part_without_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_RANK", "1")
    LockHooks().before_pipeline_run(catalog=catalog(tmp_path))
    assert not (tmp_path / LOCK).exists()


def test_without_a_ledger_there_is_nothing_to_lock() -> None:
    LockHooks().before_pipeline_run(catalog=DataCatalog())
