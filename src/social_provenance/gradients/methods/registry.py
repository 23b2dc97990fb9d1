"""Attribution methods by name: every module of this package that defines one is found, none is listed.

So a new method takes one new file. It is found when a name is first asked for, not when this module is
imported, because modules of methods import their base classes, which import this one.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from social_provenance.gradients.methods.base import Method, Needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from social_provenance.gradients.methods.settings import ScoringSettings


@cache
def find_methods() -> dict[str, type[Method]]:
    """Return name -> method, by need (gradient store, model, texts) and name.

    Raises:
        TypeError: If a method is not named as its module.
    """
    methods = []
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = import_module(f"{__package__}.{info.name}")
        for value in vars(module).values():
            if not _is_method(value) or value.__module__ != module.__name__:
                continue
            if value.name != info.name:
                raise TypeError(f"method {value.name!r} is in the module {info.name!r}: give both the same name")
            methods.append(value)
    order = get_args(Needs)
    return {method.name: method for method in sorted(methods, key=lambda kind: (order.index(kind.needs), kind.name))}


def method_names(needs: Needs | None = None) -> tuple[str, ...]:
    """Return the names of all methods, or of those with one need."""
    return tuple(name for name, method in find_methods().items() if needs in {None, method.needs})


def is_baseline(name: str) -> bool:
    """Return whether a method uses no gradient: one that agrees with it has shown no more than it."""
    return name in method_names("texts")


def choose(names: Iterable[str], needs: Needs) -> list[Any]:
    """Return the methods of one need, subclasses of its base class, in the order of their names in ``names``."""
    methods = (find_methods()[name] for name in dict.fromkeys(names))
    return [method for method in methods if method.needs == needs]


def foresee(settings: ScoringSettings, dimensions: int, documents: int) -> None:
    """Refuse a comparison that one of its methods is known to refuse, before any gradient is taken.

    Args:
        settings: Methods and their parameters.
        dimensions: Dimensions of a projected gradient.
        documents: Documents that are attributed to.

    Raises:
        AttributionError: That of the method.
    """
    for name in settings.methods:
        find_methods()[name].foresee(settings, dimensions, documents)


def known_method(name: str) -> str:
    """Return the name of a method.

    Raises:
        ValueError: If there is no such method; lists those that there are.
    """
    if name not in find_methods():
        raise ValueError(f"there is no attribution method {name!r}: choose among {', '.join(method_names())}")
    return name


def _is_method(value: Any) -> bool:
    is_class = isinstance(value, type) and issubclass(value, Method)
    return is_class and hasattr(value, "name") and not inspect.isabstract(value)
