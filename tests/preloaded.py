"""A process that has imported the heavy libraries and the package and forks for each ``kedro`` command or script.

The command starts at once: no module is left to import, and what parses the configuration has learned its grammar.

Listens at the socket whose descriptor is its argument, until its input ends, and forks a process for each connection,
for which it waits. That reads one JSON object a line, the arguments of :func:`run`, and answers with two lines: the
number of the process that it forked, which leads a group of its own, and its exit code.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import importlib
import inspect
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

HEAVY = """
alembic bergson ibis.backends.duckdb kedro.framework.cli.cli kedro.framework.session kedro.runner
kedro_datasets.pandas kedro_telemetry.plugin kedro_viz.integrations.kedro.hooks
kedro_viz.launchers.cli lm_eval.models.huggingface lm_eval.tasks mlflow mlflow.store.tracking.sqlalchemy_store pandas
pandera.ibis pandera.pandas pandera.strategies.pandas_strategies plotly.express plotly.offline scipy.stats
sklearn.cluster sqlalchemy statsmodels.stats.multitest transformers.models.olmo3.modeling_olmo3
""".split()
"""Together more than ten seconds of import; none of them starts a thread of Python, which a fork would miss."""


def prepare() -> None:
    """Do what every command does first and what a fork inherits: imports, and tables that libraries fill as they go."""
    for module in HEAVY:
        importlib.import_module(module)
    package = importlib.import_module("social_provenance")
    for found in pkgutil.walk_packages(package.__path__, "social_provenance."):
        importlib.import_module(found.name)
    importlib.import_module("social_provenance.source.reach").Code.own().modules  # noqa: B018 - parsed where it is asked
    settings = importlib.import_module("social_provenance.settings")
    conf = Path(__file__).resolve().parents[1] / "conf"
    loader = settings.CONFIG_LOADER_CLASS(
        str(conf), env="test", runtime_params={"root": "data"}, **settings.CONFIG_LOADER_ARGS
    )
    for kind in ("catalog", "parameters"):
        loader[kind]


def enter(process: int) -> None:
    """Join the user and mount namespaces of a process: what is mounted there is seen, from the same folder."""
    libc, here = ctypes.CDLL(None, use_errno=True), Path.cwd()
    for kind in ("user", "mnt"):
        with Path(f"/proc/{process}/ns/{kind}").open() as namespace:
            if libc.setns(namespace.fileno(), 0):
                raise OSError(ctypes.get_errno(), f"cannot join the namespace {kind} of process {process}")
    os.chdir(here)


def run(out: str, err: str, inside: int | None = None, **given: Any) -> int:
    """Be ``python`` with what is given, print to files, and return the exit code."""
    if inside is not None:
        enter(inside)
    for descriptor, name in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    try:
        run_script(**given) if "script" in given else run_kedro(**given)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(ended.code)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # the project's own, by which errors are one line
        return 1
    return 0


def run_kedro(arguments: list[str]) -> None:
    """Be ``kedro`` with these arguments."""
    from kedro.framework.cli import main

    # Dynaconf needs the files of its callers. With their lines, which it asks for too, every module is looked at.
    inspect.stack = functools.partial(inspect.stack, 0)
    sys.argv = ["kedro", *arguments]
    main()


def run_script(script: str, folder: str, paths: list[str], environment: dict[str, str]) -> None:
    """Be ``python -c`` in a folder, where ``paths`` have another copy of the package: of this one nothing is left."""
    os.chdir(folder)
    os.environ.update(environment)
    for name in [name for name in sys.modules if name.partition(".")[0] == "social_provenance"]:
        del sys.modules[name]
    sys.path[:0] = paths
    sys.excepthook = sys.__excepthook__
    exec(compile(script, "<string>", "exec"), {"__name__": "__main__"})


def serve(connection: socket.socket) -> None:
    """Run what is asked for over a connection, one after another."""
    with connection.makefile("r") as asked:
        for line in asked:
            child = os.fork()
            if child == 0:
                os.setsid()
                signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where tests run in background
                connection.close()
                end(run(**json.loads(line)))
            connection.sendall(f"{child}\n".encode())
            connection.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n".encode())


def end(code: int) -> NoReturn:
    """End this process; to take the interpreter apart takes seconds, and copies it too."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    gc.disable()  # almost nothing that is imported is garbage
    prepare()
    gc.enable()
    gc.freeze()  # what is imported is garbage to no command, and looking at it would copy it
    connections = []
    with socket.socket(fileno=int(sys.argv[1])) as door:
        while door in select.select([door, sys.stdin], [], [])[0]:
            connection, _ = door.accept()
            connections.append(os.fork())
            if connections[-1] == 0:
                door.close()
                serve(connection)
                end(0)
            connection.close()
    for process in connections:
        os.waitpid(process, 0)
    end(0)
