"""Paths among runtime parameters, as they were typed: Kedro reads ``2024`` as a number and ``[a]`` as a list."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from social_provenance.errors import SettingsError, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def restore_paths(given: dict[str, Any], names: Iterable[str], arguments: Sequence[str]) -> None:
    """Replace the parameters that are paths by their text, in place.

    Args:
        given: Runtime parameters.
        names: Those that are paths.
        arguments: The command line.

    Raises:
        SettingsError: If one is neither text nor a whole number, and is not on the command line; or if the root has
            braces, which Kedro reads as the placeholders of a dataset pattern.
    """
    typed = _typed(arguments)
    for name in names:
        value = given.get(name)
        if value is None or isinstance(value, str):
            continue
        if name in typed:
            given[name] = typed[name]
        elif type(value) is int:
            given[name] = str(value)
        else:
            raise SettingsError(f"{name} {excerpt(value)} is not a path: give it as text, in quotes")
    root = given.get("root")
    if isinstance(root, str) and set("{}") & set(root):
        raise SettingsError(
            f"root {excerpt(root)} has braces, which the catalog reads as placeholders: rename the folder"
        )


def _typed(arguments: Sequence[str]) -> dict[str, str]:
    """Return the items of ``--params`` as typed; of several with one name, the last."""
    blocks = [after for before, after in pairwise(arguments) if before == "--params"]
    blocks += [word.partition("=")[2] for word in arguments if word.startswith("--params=")]
    items = [item.partition("=") for block in blocks for item in block.split(",")]
    return {name.strip(): value.strip() for name, equals, value in items if equals}
