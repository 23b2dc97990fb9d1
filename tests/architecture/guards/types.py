"""Types: how many parameters of node functions are annotated with ``Any`` still."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guards.project import Project

CEILING = 50
"""Parameters annotated with ``Any``: lower it with each one that gets a type; it never rises."""


def untyped_parameters(project: Project) -> list[str]:
    """Find parameters of node functions whose annotation has ``Any``, or that have none.

    The annotation counts as it is written, because aliases of heavy libraries are ``Any`` at run time.
    """
    functions = {f"{function.__module__}.{function.__name__}": function for function in map(_plain, _called(project))}
    return [
        f"{name}: {parameter.name}"
        for name, function in sorted(functions.items())
        for parameter in inspect.signature(function).parameters.values()
        if parameter.annotation is parameter.empty or re.search(r"\bAny\b", _written(parameter.annotation))
    ]


def _called(project: Project) -> Iterator[Callable[..., object]]:
    return (node.func for node in project.nodes())


def _plain(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function behind a partial."""
    return inspect.unwrap(getattr(function, "func", function))


def _written(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else str(annotation)
