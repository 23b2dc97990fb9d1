"""A process that has imported the heavy libraries and forks for each ``kedro`` command, which then starts at once.

Reads one JSON object a line, the arguments of the command and the files for what it prints, and answers with its exit
code. Ends with its input.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys

HEAVY = ("bergson", "kedro.framework.cli", "kedro_datasets.ibis", "lm_eval.tasks", "mlflow", "pandas", "plotly.express")
"""Together more than ten seconds of import; none of them starts a thread of Python, which a fork would miss."""


def command(arguments: list[str], out: str, err: str) -> None:
    """Become ``python -m kedro`` with these arguments."""
    for descriptor, name in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    sys.argv = ["kedro", *arguments]
    runpy.run_module("kedro", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for module in HEAVY:
        importlib.import_module(module)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            command(**json.loads(line))
            sys.exit()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201
