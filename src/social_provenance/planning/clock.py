"""The clock of trials: seconds that a call would take on a machine without other work."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING

from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Seconds since it was made, by the wall and of the processor; of the two, the fewer count.

    Beside other work the wall counts its seconds too, and several threads use more of the processor than the wall sees.
    Work on a GPU is no processor time, so there the wall counts.
    """

    def __init__(self, *, gpu: bool = False) -> None:
        """Start."""
        self._gpu = gpu
        self._start, self._spent = time.perf_counter(), _spent()

    def seconds(self) -> float:
        """Return the seconds so far."""
        wall = time.perf_counter() - self._start
        return wall if self._gpu else min(wall, _spent() - self._spent)


def clocked(function: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    import torch

    clock = Clock(gpu=torch.cuda.is_available())
    function()
    return clock.seconds()


def fewest_seconds(function: Callable[[], object]) -> float:
    """Return the seconds of a call with one thread or with all, whichever takes fewer.

    Small models are as fast with one. Where the cores have other work all threads wait for each other: one is tried.
    """
    import torch

    with cpu_threads(1):
        one = clocked(function)
    threads = torch.get_num_threads()
    if threads == 1 or os.getloadavg()[0] >= threads:
        return one
    return min(one, clocked(function))


def _spent() -> float:
    """Return the seconds of processor time of this process and its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)
