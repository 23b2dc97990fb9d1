"""The clock of trials: seconds that a call would take on a machine without other work."""

from __future__ import annotations

import resource
import time
from typing import TYPE_CHECKING

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


def _spent() -> float:
    """Return the seconds of processor time of this process and its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)
