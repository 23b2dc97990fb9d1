"""Processes that end with the one that started them.

A process that is killed can do nothing for its workers, so each of them watches it: they end when it has ended, however
that came about. Until the last one is gone they hold what it held open: an ``flock`` on a data folder is released only
when every process that has its file has closed it, so no second run starts beside workers that still write.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future, ProcessPoolExecutor

    Given = TypeVar("Given")
    Made = TypeVar("Made")

CALLER = "SOCIAL_PROVENANCE_CALLER"
"""Variable with the descriptor of a pipe that closes when the caller of a command has ended."""

_held: list[int] = []
_life: list[int] = []
"""Both ends of a pipe whose writer this process alone has: it closes when this process has ended."""


class Held:
    """The files that this process holds for its workers; sent to a worker that starts, it holds them there too.

    A worker receives it before everything else and follows this process from then on: what else it receives may
    import libraries for many seconds.
    """

    def __reduce__(self) -> Any:
        from multiprocessing.reduction import DupFd

        if not _life:
            _life.extend(os.pipe())
        return _receive, (DupFd(_life[0]), [DupFd(descriptor) for descriptor in _held])


def _receive(life: Any, descriptors: list[Any]) -> Held:
    reader = life.detach()
    _end_after(lambda: os.read(reader, 1))
    _held.extend(descriptor.detach() for descriptor in descriptors)
    return Held()


def hold(descriptor: int) -> None:
    """Hold an open file in all workers that start from now on."""
    _held.append(descriptor)


def let_go(descriptor: int) -> None:
    """Hold a file no longer in workers that start from now on."""
    _held.remove(descriptor)


def follow_parent() -> None:
    """End this process, a worker that a library started, as soon as the one that started it has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)


def _end_after(wait: Callable[[], object]) -> None:
    """End this process, a worker, when ``wait``, called in a thread, returns: its parent has ended.

    Ctrl-C is left to the parent: a terminal sends it to both, and each worker would print a traceback of its own.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def worker_pool(
    count: int, start: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Provide a pool of processes that end with this one, and at once when the block is left by an exception.

    Args:
        count: Number of processes; each is a fresh one, because a forked one inherits threads and their locks.
        start: Called first in each process.
        arguments: Arguments of ``start``.
    """
    from concurrent.futures import ProcessPoolExecutor

    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, _begin, (Held(), start, arguments))
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    pool: ProcessPoolExecutor, function: Callable[[Given], Made], given: Iterable[Given], ahead: int
) -> Iterator[Made]:
    """Yield the results of a function in the order of what it is given, which is read no further than it must be.

    Args:
        pool: Processes that run the function.
        function: Function of a module.
        given: What it is called with, one by one.
        ahead: Upper bound on the calls that are begun before their results are taken.
    """
    from collections import deque

    begun: deque[Future[Made]] = deque()
    for one in given:
        begun.append(pool.submit(function, one))
        if len(begun) >= ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def run_command(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, which can end with this one by :func:`follow_caller`."""
    reader, writer = os.pipe()
    try:
        return subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            check=False,
            pass_fds=(reader,),
            env={**os.environ, CALLER: str(reader)},
        )
    finally:
        os.close(reader)
        os.close(writer)


def follow_caller() -> None:
    """Send this process SIGTERM as soon as its caller has ended, if :func:`run_command` called it."""
    pipe = os.environ.pop(CALLER, None)
    if pipe is None:
        return

    def follow() -> None:
        os.read(int(pipe), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()


def _begin(_: Held, start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    if start is not None:
        start(*arguments)


def memory_held() -> int:
    """Return the bytes that this process holds, without files that it has mapped; of its peak where that is unknown."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))
