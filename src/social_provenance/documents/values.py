"""Values of fields: where a dotted place leads in a row, and what is found there as text, label or confidence."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENCODED = 3
"""Times that a mapping may have been written as JSON, each as the text of the next."""

RANGE = "between 0 and 1"
NUMERIC = (int, float, Decimal)
_WRITTEN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
"""A number as text: Python also reads ``0_1`` as 1, and the digits of other scripts."""


class Unreadable(Exception):
    """A value that is there and has no plain meaning as its field.

    Attributes:
        value: The value.
        why: What it should be.
        place: Where it is in the row.
    """

    def __init__(self, value: Any, why: str, place: str = "") -> None:
        """Keep the value and the reason."""
        super().__init__(value, why, place)
        self.value, self.why, self.place = value, why, place

    def at(self, place: str) -> Unreadable:
        """Return the same problem with its place."""
        return Unreadable(self.value, self.why, place)


def finder(place: str) -> Callable[[Any], Any]:
    """Return a function from a row to the value at a dotted place; None if nothing is there.

    A step may be a mapping, a list of one, or a mapping written as JSON text; several steps may also be one key with
    dots, as columns of flat tables are named.
    """
    if "." not in place:
        return lambda row: row.get(place)
    steps = place.split(".")
    keys = _keys(steps)

    def walk(row: Any) -> Any:
        value = row
        for step in steps:
            if type(value) is not dict:
                break
            value = value.get(step)
        else:
            if value is not None:
                return value
        return _search(row, keys)

    return walk


def _keys(steps: Sequence[str]) -> list[tuple[str, Any]]:
    """Return key -> the same for the steps below it, for every way to join the first steps to one key."""
    return [(".".join(steps[:count]), _keys(steps[count:])) for count in range(1, len(steps) + 1)]


def _search(value: Any, keys: Sequence[tuple[str, Any]]) -> Any:
    opened = value if type(value) is dict else _mapping(value)
    if not opened:
        return None
    for key, below in keys:
        found = opened.get(key)
        if found is not None and below:
            found = _search(found, below)
        if found is not None:
            return found
    return None


def _mapping(value: Any) -> dict[str, Any] | None:
    """Return a value on the way to a field as a mapping; None if it is none."""
    own = _single(value)
    for _ in range(ENCODED):
        if type(own) is not str or own.lstrip()[:1] not in ("{", "[", '"'):
            break
        own = _single(_parsed(own))
    if type(own) is dict:
        return own
    inside = type(own) is list and any(type(each) is dict for each in own)
    if inside or (type(value) is str and value.lstrip()[:1] == "{"):
        raise Unreadable(value, "a mapping, or one written as JSON")
    return None


@lru_cache(maxsize=8)  # every field of a row asks for the same text
def _parsed(text: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None


def _single(value: Any) -> Any:
    """Return the element of a list of one; any other value as it is."""
    while type(value) is list and len(value) == 1:
        value = value[0]
    return value


def read_text(value: Any) -> str | None:
    """Return a value as text: text, a whole number, or UTF-8 bytes; None if it is empty.

    Raises:
        Unreadable: If it is anything else.
    """
    if type(value) is str:
        return value or None
    if value is None:
        return None
    if type(value) is int:
        return str(value)
    if type(value) is bytes:
        try:
            return value.decode() or None
        except UnicodeDecodeError as error:
            raise Unreadable(value, "text in UTF-8") from error
    if type(value) in (list, dict) and not value:
        return None
    raise Unreadable(value, "text or a whole number of at most 64 bits")  # JSON has longer ones, read as 1e+20


def read_single(value: Any) -> str | None:
    """Return a value as :func:`read_text` does, or the element of a list of one."""
    return (value or None) if type(value) is str else read_text(_single(value))


def read_label(value: Any) -> str | None:
    """Return a label: a text, or the most probable one of a mapping to probabilities, also as JSON text.

    Raises:
        Unreadable: If it is anything else.
    """
    value = _decoded(value)
    if type(value) is not dict:
        return read_text(value)  # the list of one is gone
    chances = _chances(value)
    best = min(chances, key=lambda label: (-chances[label], label), default="")
    if not best and len(chances) > 1:
        raise Unreadable(value, "labels with their probabilities, and the most probable one has no name")
    return best or None


def read_confidence(value: Any) -> float | None:
    """Return a confidence: a number from 0 to 1, also as text, or the largest of a mapping to probabilities.

    Raises:
        Unreadable: If it is anything else.
    """
    if type(value) is float and 0 <= value <= 1:
        return value
    value = _decoded(value)
    if type(value) is dict:
        chances = _chances(value)
        number = max(chances.values()) if chances else None
    elif not value and type(value) in (str, list, type(None)):
        return None
    else:
        number = _number(value)
        if number is None:
            raise Unreadable(value, "a number between 0 and 1")
    if number is not None and not 0 <= number <= 1:
        raise Unreadable(value, RANGE)
    return number


def read_own_confidence(value: Any) -> float | dict[str, float] | None:
    """Return a confidence as :func:`read_confidence` does, but of a mapping the probabilities of its labels.

    Raises:
        Unreadable: If it is anything else.
    """
    number = read_confidence(value)
    if type(value) is float:
        return number
    decoded = _decoded(value)
    return number if number is None or type(decoded) is not dict else _chances(decoded)


def read_chance(value: Any) -> float | None:
    """Return the probability of a label that was read from probabilities; None if it was not."""
    value = _decoded(value)
    return read_confidence(value) if type(value) is dict else None


def _decoded(value: Any) -> Any:
    """Return a value without the list of one or the JSON text around it."""
    value = _single(value)
    if type(value) is str and value.lstrip()[:1] in ("{", "["):
        parsed = _single(_parsed(value))
        return value if parsed is None else parsed
    return value


def _chances(value: dict[str, Any]) -> dict[str, float]:
    """Return label -> probability, without labels that have none.

    Raises:
        Unreadable: If one is not a number.
    """
    numbers = {label: _number(chance) for label, chance in value.items() if chance is not None}
    chances = {label: number for label, number in numbers.items() if number is not None and not math.isnan(number)}
    if len(chances) < len(numbers):
        raise Unreadable(value, "labels with their probabilities")
    return chances


def _number(value: Any) -> float | None:
    """Return a number, also if it is written as text; None if it is neither."""
    if type(value) not in (*NUMERIC, str):
        return None
    if type(value) is str and not _WRITTEN.fullmatch(value.strip()):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
