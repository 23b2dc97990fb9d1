"""Configuration loader that checks runtime parameters before anything is resolved, made or run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.config import OmegaConfigLoader

from social_provenance.errors import SettingsError, excerpt
from social_provenance.hooks.errors import install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDERS = ("root", "corpus", "benchmarks", "model")
"""Runtime parameters that must name a place where they are given."""

INTERPOLATION = "${"


class CheckedConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which refuses runtime parameters that would be resolved or are empty places.

    It is made before hooks are called, so that an error of the configuration is one line as well.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Check the runtime parameters, and install the one-line error display.

        Raises:
            SettingsError: With the parameter and its value.
        """
        install()
        refuse_unresolvable(named.get("runtime_params") or {})
        super().__init__(*arguments, **named)


def refuse_unresolvable(given: Mapping[str, Any]) -> None:
    """Check that runtime parameters are plain values, and that no place among them is empty.

    Raises:
        SettingsError: With the parameter and its value.
    """
    for name in FOLDERS:
        if name in given and str(given[name] or "").strip() == "":
            raise SettingsError(f"--params {name} is empty: give a path, or leave {name} out for the default")
    for place, value in _texts(given):
        if INTERPOLATION in value:
            raise SettingsError(
                f"--params {place}: {excerpt(value)} refers to another value, which is not resolved on the command "
                f"line: give the value itself"
            )


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in nested values with its place, keys included."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            below = f"{place}.{key}" if place else str(key)
            yield below, str(key)
            yield from _texts(inner, below)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)
