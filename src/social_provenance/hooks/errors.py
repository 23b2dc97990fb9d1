"""Hook that prints an error as one line; its traceback is kept, or printed if the user asks for it.

This is the one place where errors are caught and phrased: those of this package say all in their message, those of
Kedro's validation are reduced to it, those of libraries are phrased in ``phrases``.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kedro.config import MissingConfigException
from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError
from kedro.validation.exceptions import DataValidationError, ParameterValidationError

from social_provenance.errors import ProvenanceError
from social_provenance.hooks.phrases import phrase, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

DEBUG = "SOCIAL_PROVENANCE_DEBUG"
"""Environment variable; if it is set, and not to 0, the traceback is printed above the line."""

LOUD = ("kedro.pipeline.node", *(f"kedro.runner.{kind}_runner" for kind in ("sequential", "thread", "parallel")))
REPEATED = ("No nodes ran.", "There are ", "Node %s failed with error")
"""Beginnings of what Kedro logs of an error besides: advice on resuming, where here the same command resumes, and the
error itself, which is printed once."""

_BLOCK = re.compile(r"- Parameter '([^']+)': (.*)")
_REPORT = re.compile(r"\d+ validation errors? for \w+$")
_NULL = "value is None but type is not Optional"
_PROBLEM = re.compile(r"\s+(.*) \[type=(\w+), input_value=(.*), input_type=\w+\]$")


class ErrorHooks:
    """Install the one-line error display for the process that runs a pipeline."""

    @hook_impl(tryfirst=True)  # so that an error of another hook is shown like that too
    def after_context_created(self) -> None:
        """Replace the interpreter's handler of uncaught errors."""
        install()


def install() -> None:
    """Replace the interpreter's handler of uncaught errors, and silence what Kedro says of them besides."""
    sys.excepthook = show_error
    for name in LOUD:
        logging.getLogger(name).addFilter(_is_said_once)


def _is_said_once(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(REPEATED)


def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print ``error: ...`` on one line; the traceback is printed if ``DEBUG`` asks for it, else written to a file."""
    if not isinstance(error, Exception):  # a key that was pressed, or an exit
        sys.__excepthook__(kind, error, trace)
        return
    if os.environ.get(DEBUG, "0") not in ("", "0"):
        sys.__excepthook__(kind, error, trace)
    message = one_line(error)
    if message is None:
        # Kedro wraps what happens while it saves, which is where most of the work is done.
        inner: BaseException = error
        while isinstance(inner, DatasetError) and inner.__cause__ is not None:
            inner = inner.__cause__
        text = f"{type(inner).__name__}: {squeeze(inner)}"
        message = f"{text} (unexpected: report it with {_keep(kind, error, trace)})"
    sys.stderr.write(f"error: {message}\n")


def one_line(error: BaseException) -> str | None:
    """Return the message of the first error in a chain that the user can fix, on one line; None if there is none."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ProvenanceError):
            return " ".join(str(link).splitlines())
        if isinstance(link, ParameterValidationError):
            return _parameters(str(link))
        if isinstance(link, DataValidationError):
            return " ".join(str(link).split())
        if isinstance(link, MissingConfigException):
            return f"{' '.join(str(link).split())}: check --env and --conf-source"
    return phrase(chain)


def _keep(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    """Write a traceback to a file; return a text that says where it is."""
    with suppress(OSError):
        file = Path(tempfile.gettempdir()) / f"social-provenance-{os.getpid()}.traceback"
        file.write_text("".join(traceback.format_exception(kind, error, trace)), encoding="utf-8")
        return f"the traceback in {file}"
    return f"the traceback that {DEBUG}=1 prints"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()  # an error that is raised again while what it caused is handled closes a circle
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _parameters(message: str) -> str:
    """Reduce Kedro's and Pydantic's report on parameters to ``block.field: problem``."""
    place, field, problems = "parameters", "", []
    for line in message.splitlines():
        if block := _BLOCK.match(line):
            place, field = f"params:{block.group(1)}", ""
            if not _REPORT.search(line):
                problem = "is null: give it a value, or leave it out" if _NULL in block.group(2) else block.group(2)
                problems.append(f"{place}: {problem}")
        elif found := _PROBLEM.match(line):
            problems.append(f"{place}{field}: {_explain(*found.groups())}")
        elif line and not line.startswith(" "):
            field = f".{line}"
    return "; ".join(problems) or " ".join(message.split())


def _explain(message: str, kind: str, value: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown parameter, see conf/base for what there is (got {value})"
    if kind == "value_error":  # raised by a model of ours, which quotes what it has to
        return message.removeprefix("Value error, ")
    if kind == "missing":
        return "is missing: give it a value"
    problem = message[0].lower() + message[1:]
    if value == "None":
        return f"{problem}, and is null: give it a value, or leave it out"
    return f"{problem}, see docs/reference/parameters.md (got {value})"
