"""A run that finds no room ends in one line, leaves nothing that passes for whole, and goes on once there is room."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from social_provenance.lineage import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOGGED = re.compile(r"\d\d:\d\d:\d\d (INFO|WARNING) ")
DISK = 400 * 1024
"""Bytes of a disk that has room for the corpus, and for some of its records."""
FILE = 200_000
"""Bytes of a file that has room for the records of a shard, and not for all documents."""
SMALL_FILE = 70_000
"""Bytes of a file that has room for a shard, and not for its records."""


def run(kedro: Callable[..., Any], root: Path, limit: int | None = None, inside: int | None = None) -> Any:
    """Make the world and read its corpus; no file may be larger than a limit."""

    def restrict(pid: int, log: Path) -> None:
        del log
        if limit is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))

    given = ("run", "--env", "test", "--pipelines", "miniature,corpus", "--params", f"root={root}")
    return kedro(*given, meanwhile=restrict, inside=inside)


def run_on_a_small_disk(kedro: Callable[..., Any], root: Path) -> Any | None:
    """Run on a disk of its own, and copy what it has at the end; None where this machine lets nobody mount one."""
    root.mkdir()
    mount = f'mount -t tmpfs -o size={DISK} none "$0" && echo mounted && read -r _'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(root)]
    if shutil.which(command[0]) is None:
        return None
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as holder:  # type: ignore[call-overload]
        if holder.stdout.readline() != "mounted\n":
            return None
        ended = run(kedro, root, inside=holder.pid)
        shutil.copytree(f"/proc/{holder.pid}/root{root}", root, dirs_exist_ok=True)
        holder.communicate("done\n")
    return ended


def check_stopped(ended: Any, root: Path, whole: dict[str, str], made: dict[str, str]) -> None:
    """Check that a run ended in one line, and that what its ledger has as complete is that of an undisturbed run."""
    assert ended.returncode == 1, ended.stderr[-3000:]
    (line,) = [line for line in ended.stderr.splitlines() if not LOGGED.match(line)]
    assert line.startswith("error: ")
    assert str(root) in line
    assert line.endswith("and run again: finished parts are kept")
    ledger = Ledger.open(root / "lineage.json")
    complete = [record.place for record in ledger.records.values() if record.digest is not None]
    assert len(complete) < len(ledger.records)
    for place in complete:
        own = {name: digest for name, digest in whole.items() if f"{name}/".startswith(f"{place}/")}
        assert own
        assert own.items() <= made.items()


def test_a_run_without_room_goes_on_where_there_is_some(
    kedro: Callable[..., Any], test_study: Path, contents: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    root, whole = tmp_path / "data", contents(test_study)
    stages = [run_on_a_small_disk(kedro, root) or run(kedro, root, SMALL_FILE)]
    check_stopped(stages[0], root, whole, contents(root))
    check_stopped(run(kedro, root, FILE), root, whole, contents(root))
    ended = run(kedro, root)
    assert ended.returncode == 0, ended.stderr[-3000:]
    made = contents(root)
    assert "02_intermediate/documents.parquet" in made
    assert made.items() <= whole.items()
