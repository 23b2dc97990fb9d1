"""Hook that ends a run in one line when it is asked to end, with what is finished kept."""

from __future__ import annotations

import builtins
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.processes import follow_caller

if TYPE_CHECKING:
    from types import FrameType


class StopHooks:
    """End a run by ``SystemExit`` at SIGTERM, which schedulers send, and at Ctrl-C, while a pipeline runs.

    An exception unwinds what is under way: workers are ended, unfinished parts are left unsealed, and the lock is
    released. A second signal has its usual effect. A signal that is ignored stays ignored, and in a notebook or an
    interpreter Ctrl-C is left as it is.
    """

    def __init__(self) -> None:
        """Start without handlers."""
        self._before: dict[int, Any] = {}

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Handle the signals, and end a run that another one started with that one."""
        follow_caller()
        if threading.current_thread() is not threading.main_thread():
            return
        self._restore()
        interactive = hasattr(sys, "ps1") or hasattr(builtins, "get_ipython")
        for signum in (signal.SIGTERM,) if interactive else (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(signum) != signal.SIG_IGN:  # as a shell sets for what it starts in the background
                self._before[signum] = signal.signal(signum, self._stop)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Restore the handlers."""
        self._restore()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Restore the handlers."""
        self._restore()

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        del frame
        self._restore()
        said = sys.__stderr__ or sys.stderr  # the latter is silenced where a library reports its progress
        said.write(f"stopped by {signal.Signals(signum).name}: finished parts are kept, the same command goes on\n")
        sys.exit(128 + signum)

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
