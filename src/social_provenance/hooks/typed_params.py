"""Items of ``--params``, read so that nothing of what was typed is dropped, doubled or taken for something else."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from unicodedata import category

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from social_provenance.errors import SettingsError, excerpt
from social_provenance.hooks.guard import known_parameters
from social_provenance.hooks.loader import refuse_unresolvable
from social_provenance.hooks.phrases import squeeze
from social_provenance.hooks.typed_paths import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable

PARAMS = "--params"

_NAME = re.compile(r"[^.\[\]{}]+(\.[^.\[\]{}]+)*")
_GLUED = re.compile(r"[\s;&]+(?P<name>[A-Za-z_][\w.]*)\s*=")
_DROPPED = re.compile(r"""^[&!]|^[^'"].*\s#""")
"""What YAML reads as an anchor, a tag or a comment, and not as part of the value."""

_NULL = ("null", "Null", "NULL")


def read_items(text: str, option: str = PARAMS) -> dict[str, Any]:
    """Return the nested values of items ``NAME=VALUE`` with commas between; places are text, as typed.

    Args:
        text: What was typed.
        option: The option that it was typed for.

    Raises:
        SettingsError: With the item that is none.
    """
    if any(category(character) == "Cc" for character in text):
        raise SettingsError(f"{option}: {excerpt(text)} has a control character: leave it out")
    items: dict[str, str] = {}
    for item in text.split(","):
        name, value = _split(item.strip(), option)
        for other in items:
            if f"{name}.".startswith(f"{other}.") or f"{other}.".startswith(f"{name}."):
                raise SettingsError(f"{option}: {other!r} and {name!r} are both given, and one counts: leave one out")
        items[name] = value
    places = {name: value for name, value in items.items() if option == PARAMS and name in PLACES}
    values = _parse((name, value, option) for name, value in items.items() if name not in places)
    return values | {name: None if value in _NULL else value for name, value in places.items()}


def _split(item: str, option: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in item.partition("="))
    if not equals:
        colon = re.fullmatch(r"([\w.]+)\s*:\s*(.*)", item)
        raise SettingsError(
            f"{option}: {item!r} has no '='"
            + (
                f"; did you mean {f'{colon[1]}={colon[2]}'!r}?"
                if colon
                else ": write NAME=VALUE, with a comma between two; a value with commas stands in a file for --config"
            )
        )
    if not name:
        raise SettingsError(f"{option}: {item!r} has no name before its '=': write NAME=VALUE")
    if not value and (option != PARAMS or name not in PLACES):
        raise SettingsError(f"{option}: {excerpt(item)} has no value: give one, or write {name}=null")
    if value.startswith("="):
        raise SettingsError(f"{option}: {excerpt(item)} has more than one '=': write NAME=VALUE")
    if _DROPPED.search(value) and not (option == PARAMS and name in PLACES):
        raise SettingsError(f"{option}: {excerpt(item)} has a sign of YAML (#, &, !): write {name}='VALUE' for text")
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{option}: {excerpt(name)} is not the name of a parameter: write BLOCK.FIELD=VALUE")
    if option == PARAMS:
        _refuse_misread(name, value)
    return name, value


def _refuse_misread(name: str, value: str) -> None:
    first = name.partition(".")[0]
    if first in PLACES and first != name:
        raise SettingsError(f"{PARAMS}: {first} is a place and has no field {name!r}: write {first}=VALUE")
    refuse_unresolvable({name: value})
    glued = _GLUED.search(value)
    is_there = os.path.exists(value)
    if glued and not is_there and glued["name"].partition(".")[0] in known_parameters():
        raise SettingsError(
            f"{PARAMS}: {name} {excerpt(value)} contains {glued['name']!r}, which is a parameter itself: write a "
            f"comma before it"
        )


def _parse(items: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """Return values as Kedro reads them, each as YAML."""
    read = []
    for name, value, option in items:
        read.append(f"{name}={value}")
        try:
            OmegaConf.from_dotlist(read[-1:])
        except (OmegaConfBaseException, YAMLError, ValueError) as error:
            reason = getattr(error, "problem", None) or squeeze(error, 80)
            raise SettingsError(
                f"{option}: the value of {name}, {excerpt(value)}, cannot be read ({reason}): fix it, or put it in a "
                f"file for --config"
            ) from error
    values: dict[str, Any] = OmegaConf.to_container(OmegaConf.from_dotlist(read))  # type: ignore[assignment]
    return values
