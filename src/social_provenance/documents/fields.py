"""Fields of a document, and where shards of different layouts keep them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Place = str | list[str]
"""A dotted path into a row, or ``path:`` with a regular expression whose group is matched in the
shard's name; of several, the first with a value is used."""

FIELDS: dict[str, Place] = {
    "doc_id": "id",
    "text": "text",
    "url": "metadata.url",
    "source": "source",
    "given_topic": "metadata.weborganizer.topic",
    "given_format": "metadata.weborganizer.format",
    "given_topic_confidence": "metadata.weborganizer.topic_confidence",
    "given_format_confidence": "metadata.weborganizer.format_confidence",
}
"""Field -> its place in Dolma-style shards."""

NUMBERS = ("given_topic_confidence", "given_format_confidence")
REQUIRED = ("doc_id", "text")
IN_NAME = "path:"

Row = dict[str, Any]


def with_defaults(fields: Mapping[str, Place] | None) -> dict[str, Place]:
    """Complete the given places of fields with those of Dolma.

    Raises:
        CorpusError: If a field is unknown, or a place cannot be read.
    """
    given = dict(fields or {})
    for name, places in given.items():
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS)
            raise CorpusError(f"raw_documents.fields: unknown field {name!r}{hint}; fields are {', '.join(FIELDS)}")
        for place in _listed(places):
            _check(name, place)
    return FIELDS | given


def roots(places: Place) -> list[str]:
    """Return the columns that may contain a field; empty where only the shard's name may."""
    return [place.split(".")[0] for place in _listed(places) if not place.startswith(IN_NAME)]


def compile_fields(fields: Mapping[str, Place], shard: str) -> dict[str, Callable[[Row], Any]]:
    """Build a reader for each field: a function from a row of a shard to the value.

    A mapping of labels to probabilities, as classifiers write them, is read as its most probable label
    in a text field, and as the probability of that label in a numeric field.
    """
    return {name: _reader(_listed(places), shard, name in NUMBERS) for name, places in fields.items()}


def _reader(places: Sequence[str], shard: str, number: bool) -> Callable[[Row], Any]:
    readers = [_constant(place, shard) if place.startswith(IN_NAME) else _step(place) for place in places]
    convert = _number if number else _text
    if len(readers) == 1:
        only = readers[0]
        return lambda row: convert(only(row))

    def first(row: Row) -> Any:
        return next((value for read in readers if (value := convert(read(row))) is not None), None)

    return first


def _step(place: str) -> Callable[[Row], Any]:
    if "." not in place:
        return lambda row: row.get(place)
    steps = place.split(".")

    def walk(row: Any) -> Any:
        for step in steps:
            if type(row) is not dict:
                return None
            row = row.get(step)
        return row

    return walk


def _constant(place: str, shard: str) -> Callable[[Row], Any]:
    found = re.search(place.removeprefix(IN_NAME), shard)
    value = found.group(1) if found else None
    return lambda row: value  # noqa: ARG005


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    if type(value) is int:
        return str(value)
    if type(value) is dict and value:
        return _best(value)
    return None


def _number(value: Any) -> float | None:
    if type(value) is float or type(value) is int:
        return float(value)
    if type(value) is dict and value:
        best = _best(value)
        return None if best is None else float(value[best])
    return None


def _best(chances: Mapping[str, Any]) -> str | None:
    """Return the most probable label, ties by name; None if these are not probabilities."""
    if not all(type(chance) in (int, float) for chance in chances.values()):
        return None
    return min(chances, key=lambda label: (-chances[label], label))


def _listed(places: Place) -> list[str]:
    return [places] if isinstance(places, str) else list(places)


def _check(name: str, place: str) -> None:
    if not place.startswith(IN_NAME):
        return
    pattern = place.removeprefix(IN_NAME)
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise CorpusError(
            f"raw_documents.fields.{name}: {pattern!r} is not a valid regular expression ({error})"
        ) from error
    if groups != 1:
        raise CorpusError(f"raw_documents.fields.{name}: {pattern!r} needs one group in parentheses, it has {groups}")
