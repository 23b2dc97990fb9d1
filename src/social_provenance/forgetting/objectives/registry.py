"""Unlearning algorithms by name: every module of this package that defines one is found, none is listed.

So a new algorithm takes one new file, and parameters know it by its name at once.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from social_provenance.forgetting.objectives.base import Objective


@cache
def find_algorithms() -> dict[str, type[Objective]]:
    """Return name -> class of every algorithm, by name.

    Raises:
        TypeError: If an algorithm is not named as its module.
    """
    algorithms: dict[str, type[Objective]] = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if f"{__package__}.{info.name}" != __name__:
            module = import_module(f"{__package__}.{info.name}")
            algorithms |= {_name(kind): kind for kind in vars(module).values() if _is_algorithm(kind, module.__name__)}
    return algorithms


def _is_algorithm(value: Any, module: str) -> bool:
    is_class = isinstance(value, type) and issubclass(value, Objective)
    return is_class and value.__module__ == module and not inspect.isabstract(value)


def _name(kind: type[Objective]) -> str:
    """Return the name of an algorithm, which is the one value of its field ``name``."""
    name, module = kind.model_fields["name"].default, kind.__module__.rpartition(".")[2]
    if name != module:
        raise TypeError(f"algorithm {name!r} is in the module {module!r}: give both the same name")
    return str(name)


if TYPE_CHECKING:
    Algorithm = Objective
else:
    # A union of all classes, told apart by ``name``: an error about one field does not list the fields of the others.
    Algorithm = Annotated[Union[tuple(find_algorithms().values())], Field(discriminator="name")]  # noqa: UP007
