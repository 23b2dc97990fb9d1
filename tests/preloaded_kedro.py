"""A process that has imported the heavy libraries and forks for each ``kedro`` command, which then starts at once.

Reads one JSON object a line, the arguments of the command and the files for what it prints, and answers with two lines:
the number of its process, which leads a group of its own, and its exit code. Ends with its input.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path

HEAVY = """
bergson ibis.backends.duckdb kedro.framework.cli.cli kedro.framework.session kedro.runner kedro_viz.launchers.cli
lm_eval.tasks mlflow pandas pandera.ibis pandera.pandas plotly.express sqlalchemy
""".split()
"""Together more than ten seconds of import; none of them starts a thread of Python, which a fork would miss."""


def enter(process: int) -> None:
    """Join the user and mount namespaces of a process: what is mounted there is seen, from the same folder."""
    libc, here = ctypes.CDLL(None, use_errno=True), Path.cwd()
    for kind in ("user", "mnt"):
        with Path(f"/proc/{process}/ns/{kind}").open() as namespace:
            if libc.setns(namespace.fileno(), 0):
                raise OSError(ctypes.get_errno(), f"cannot join the namespace {kind} of process {process}")
    os.chdir(here)


def run(arguments: list[str], out: str, err: str, inside: int | None) -> int:
    """Be ``python -m kedro`` with these arguments, and return its exit code."""
    if inside is not None:
        enter(inside)
    for descriptor, name in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    sys.argv = ["kedro", *arguments]
    try:
        runpy.run_module("kedro", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # the project's own, by which errors are one line
        return 1
    return 0


if __name__ == "__main__":
    for module in HEAVY:
        importlib.import_module(module)
    gc.freeze()  # what is imported is garbage to no command, and looking at it would copy it
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where tests run in the background
            code = run(**json.loads(line))
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # to take the interpreter apart takes seconds, and copies it too
        print(child, flush=True)  # noqa: T201
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201
