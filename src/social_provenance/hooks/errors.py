"""Hook that prints errors that the user can fix as one line; others keep their traceback."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from kedro.config import MissingConfigException
from kedro.framework.hooks import hook_impl
from kedro.validation.exceptions import DataValidationError, ParameterValidationError

from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_BLOCK = re.compile(r"- Parameter '([^']+)': (.*)")
_REPORT = re.compile(r"\d+ validation errors? for \w+$")
_PROBLEM = re.compile(r"\s+(.*) \[type=(\w+), input_value=(.*), input_type=\w+\]$")


class ErrorHooks:
    """Install the one-line error display for the process that runs a pipeline."""

    @hook_impl(tryfirst=True)  # so that an error of another hook is shown like that too
    def after_context_created(self) -> None:
        """Replace the interpreter's handler of uncaught errors."""
        sys.excepthook = show_error


def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print ``error: ...`` for an error that the user can fix, the usual traceback otherwise."""
    message = one_line(error)
    if message is None:
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"error: {message}\n")


def one_line(error: BaseException) -> str | None:
    """Return the message of the first error in a chain that the user can fix, on one line."""
    for link in _chain(error):
        if isinstance(link, ProvenanceError):
            return str(link)
        if isinstance(link, ParameterValidationError):
            return _parameters(str(link))
        if isinstance(link, DataValidationError | MissingConfigException):
            return " ".join(str(link).split())
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _parameters(message: str) -> str:
    """Reduce Kedro's and Pydantic's report on parameters to ``block.field: problem``."""
    place, field, problems = "parameters", "", []
    for line in message.splitlines():
        if block := _BLOCK.match(line):
            place, field = f"params:{block.group(1)}", ""
            if not _REPORT.search(line):
                problems.append(f"{place}: {block.group(2)}")
        elif problem := _PROBLEM.match(line):
            problems.append(f"{place}{field}: {_explain(*problem.groups())}")
        elif line and not line.startswith(" "):
            field = f".{line}"
    return "; ".join(problems) or " ".join(message.split())


def _explain(message: str, kind: str, value: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown parameter, see conf/base for what there is (got {value})"
    if kind == "value_error":  # raised by a model of ours, which quotes what it has to
        return message.removeprefix("Value error, ")
    if kind == "missing":
        return "is missing"
    return f"{message[0].lower()}{message[1:]} (got {value})"
