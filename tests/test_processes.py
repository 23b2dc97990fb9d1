"""Workers end with the process that started them, and hold its files until they are gone."""

from __future__ import annotations

import fcntl
import os
import runpy
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.processes import (
    CALLER,
    follow_caller,
    hold,
    in_order,
    let_go,
    memory_held,
    run_command,
    worker_pool,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT = 60.0
"""Seconds after which what has not happened will not; on an idle machine it takes a fraction of one."""

STAY = """
import os, time
path = os.path.join(os.path.dirname(__file__), f"{number}.pid")
with open(path + "~", "w", encoding="utf-8") as file:
    file.write(str(os.getpid()))
os.rename(path + "~", path)
time.sleep(600)
"""
"""Run with a variable ``number``."""

PARENT = """
import runpy, signal, sys, time
from pathlib import Path
from social_provenance.hooks.lock import take
from social_provenance.processes import hold, worker_pool

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where tests run in the background
    held = take(Path(sys.argv[1]))
    hold(held.fileno())
    with worker_pool(2) as pool:
        for number in range(2):
            pool.submit(runpy.run_path, sys.argv[2], {"number": number})
        time.sleep(600)
"""


@pytest.fixture
def stay(tmp_path: Path) -> str:
    """Return a script that leaves the number of its process beside it, and stays: a worker needs no module of tests."""
    path = tmp_path / "stay.py"
    path.write_text(STAY)
    return str(path)


def until(true: Callable[[], bool]) -> bool:
    """Wait until something is true; return whether it came to be."""
    end = time.monotonic() + WAIT
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_locked(folder: Path) -> bool:
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@pytest.fixture
def family(tmp_path: Path, stay: str) -> Any:
    """Return a process that holds a folder, and the numbers of its two workers."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path), stay], start_new_session=True)
    files = [tmp_path / f"{number}.pid" for number in range(2)]
    assert until(lambda: all(file.exists() for file in files) or parent.poll() is not None)
    yield parent, [int(file.read_text()) for file in files]
    for pid in [parent.pid, *(int(file.read_text()) for file in files if file.exists())]:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)
    parent.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent_however_it_ends(family: Any, number: int) -> None:
    parent, workers = family
    os.kill(parent.pid, number)
    assert until(lambda: not any(map(lives, workers)))
    assert until(lambda: parent.poll() is not None)


BEGINNING = """
import runpy, sys, time
from social_provenance.processes import worker_pool

class Slow:
    def __reduce__(self):
        return runpy.run_path, (sys.argv[1], {"number": 0})

if __name__ == "__main__":
    with worker_pool(1, print, (Slow(),)) as pool:
        pool.submit(abs, 1)
        time.sleep(600)
"""
"""Its worker never gets as far as to begin, as if what it is sent imported libraries."""


def test_a_worker_that_still_imports_ends_with_its_parent(tmp_path: Path, stay: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(BEGINNING)
    parent = subprocess.Popen([sys.executable, str(script), stay])
    file = tmp_path / "0.pid"
    assert until(lambda: file.exists() or parent.poll() is not None)
    parent.kill()
    parent.wait()
    assert until(lambda: not lives(int(file.read_text())))


def test_a_folder_is_locked_until_the_last_worker_is_gone(family: Any, tmp_path: Path) -> None:
    parent, workers = family
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)  # a worker that cannot see that its parent has ended
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert is_locked(tmp_path)
    os.kill(workers[0], signal.SIGKILL)
    assert is_locked(tmp_path)
    os.kill(workers[1], signal.SIGCONT)
    assert until(lambda: not is_locked(tmp_path))


def test_ctrl_c_of_a_terminal_is_left_to_the_parent(family: Any) -> None:
    parent, workers = family
    os.kill(workers[0], signal.SIGINT)
    time.sleep(0.2)
    assert lives(workers[0])
    os.killpg(parent.pid, signal.SIGINT)  # what a terminal does
    assert until(lambda: not any(map(lives, [parent.pid, *workers])))


@pytest.mark.usefixtures("quick_spawn")
def test_an_exception_ends_the_workers_at_once(tmp_path: Path, stay: str) -> None:
    file = tmp_path / "0.pid"

    def stop() -> None:
        with worker_pool(1) as pool:
            pool.submit(runpy.run_path, stay, {"number": 0})
            assert until(file.exists)
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        stop()
    assert until(lambda: not lives(int(file.read_text())))


@pytest.mark.usefixtures("quick_spawn")
def test_a_pool_that_ends_well_has_done_everything() -> None:
    with worker_pool(2) as pool:
        assert sorted(pool.map(abs, [-3, 2, -1])) == [1, 2, 3]


def test_what_is_let_go_is_held_no_longer(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as file:
        hold(file.fileno())
        let_go(file.fileno())
        with pytest.raises(ValueError, match="not in list"):
            let_go(file.fileno())


def test_a_command_ends_with_its_caller(tmp_path: Path, stay: str) -> None:
    command = "import runpy, sys; from social_provenance.processes import follow_caller; follow_caller(); "
    command += "runpy.run_path(sys.argv[1], {'number': 0})"
    caller = "import sys; from social_provenance.processes import run_command; "
    caller += f"run_command([sys.executable, '-c', {command!r}, sys.argv[1]])"
    process = subprocess.Popen([sys.executable, "-c", caller, stay])
    file = tmp_path / "0.pid"
    assert until(file.exists)
    pid = int(file.read_text())
    assert lives(pid)
    process.kill()
    process.wait()
    assert until(lambda: not lives(pid))


def test_a_command_returns_what_it_said_and_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run_command([sys.executable, "-c", f"import os, sys; print('{CALLER}' in os.environ); sys.exit('no')"])
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "True\n", "no\n")
    monkeypatch.delenv(CALLER, raising=False)
    follow_caller()  # called by nobody: nothing to follow


def test_results_come_in_order_and_no_more_is_read_than_must_be() -> None:
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(9):
            read.append(number)
            yield number

    with worker_pool(2) as pool:
        results = in_order(pool, abs, numbers(), ahead=3)
        assert next(results) == 0
        assert read == [0, 1, 2]
        assert [next(results), next(results)] == [1, 2]
        assert read == [0, 1, 2, 3, 4]
        assert list(results) == [3, 4, 5, 6, 7, 8]


def test_an_error_of_a_task_ends_them() -> None:
    with pytest.raises(TypeError, match="bad operand"), worker_pool(1) as pool:
        list(in_order(pool, abs, ["one", 1], ahead=2))


def test_the_memory_of_a_process_grows_with_what_it_holds() -> None:
    before = memory_held()
    held = bytearray(b"x" * 50_000_000)
    assert memory_held() - before > 0.8 * len(held)
