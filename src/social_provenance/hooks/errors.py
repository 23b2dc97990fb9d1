"""Show an error that the user can put right as one line, and keep the traceback for the others."""

from __future__ import annotations

import itertools
import re
import sys
from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl
from kedro.validation.exceptions import DataValidationError, ParameterValidationError

from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType


class ErrorHooks:
    """Install the one-line error display for the process that runs a pipeline."""

    @hook_impl
    def after_context_created(self) -> None:
        """Replace the interpreter's last word on an uncaught error."""
        sys.excepthook = show_error


def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print ``error: ...`` for an error of the user's making, the usual traceback otherwise."""
    message = one_line(error)
    if message is None:
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"error: {message}\n")


def one_line(error: BaseException) -> str | None:
    """Return the message of the first error in a chain that the user can put right, on one line."""
    for link in _chain(error):
        if isinstance(link, ProvenanceError):
            return str(link)
        if isinstance(link, ParameterValidationError):
            return _parameters(str(link))
        if isinstance(link, DataValidationError):
            return " ".join(str(link).split())
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _parameters(message: str) -> str:
    """Boil Kedro's and Pydantic's report on parameters down to ``block.field: what is wrong``."""
    block = re.search(r"Parameter '([^']+)'", message)
    name = block.group(1) if block else "parameters"
    lines = [line for line in message.splitlines() if line.strip()]
    problems = []
    for field, detail in itertools.pairwise(lines):
        found = re.match(r"\s+(.*) \[type=(\w+), input_value=(.*), input_type=\w+\]", detail)
        if found:
            problems.append(f"params:{name}.{field.strip()}: {_explain(found)} (got {found.group(3)})")
    return "; ".join(problems) or " ".join(message.split())


def _explain(found: re.Match[str]) -> str:
    if found.group(2) == "extra_forbidden":
        return "unknown parameter, see conf/base for what there is"
    return str(found.group(1)[0].lower() + found.group(1)[1:])
