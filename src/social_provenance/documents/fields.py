"""Fields of a document, and where shards of different layouts keep them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from social_provenance.documents.values import (
    RANGE,
    Unreadable,
    finder,
    read_chance,
    read_confidence,
    read_label,
    read_own_confidence,
    read_single,
    read_text,
)
from social_provenance.errors import CorpusError, LabelError, did_you_mean
from social_provenance.regions.aliases import CANONICAL

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
LABEL = "given_"
CONFIDENCE = "_confidence"
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
            raise CorpusError(f"raw_documents.fields: unknown field {name!r}{hint}; name one of {', '.join(FIELDS)}")
        for place in _listed(places):
            _check(name, place)
    return FIELDS | given


def roots(places: Place) -> list[str]:
    """Return the columns that may contain a field; empty where only the shard's name may.

    A dotted place may be a path into a column, or the name of a column.
    """
    paths = [place.split(".") for place in _listed(places) if not place.startswith(IN_NAME)]
    return [".".join(steps[:count]) for steps in paths for count in range(1, len(steps) + 1)]


def compile_fields(fields: Mapping[str, Place], shard: str) -> dict[str, Callable[[Row], Any]]:
    """Build a reader for each field: a function from a row of a shard to the value, None where there is none.

    A mapping of labels to probabilities, as classifiers write them, is read as its most probable label in a text
    field, and as the probability of the document's label in a confidence; a label from probabilities has its
    probability as confidence where none is given. A list of one is read as its element, a number written as text as a
    number. Any other value raises :class:`Unreadable`.
    """
    readers = {name: _reader(name, _listed(places), shard) for name, places in fields.items()}
    for name in NUMBERS:
        label = name.removesuffix(CONFIDENCE)
        if {name, label} <= set(fields):
            own = _reader(name, _listed(fields[name]), shard, read_own_confidence)
            axis = label.removeprefix(LABEL)
            readers[name] = _confidence(axis, own, readers[label], _chance_reader(_listed(fields[label]), shard))
    return readers


def _confidence(
    axis: str,
    own: Callable[[Row], Any],
    label_of: Callable[[Row], str | None],
    chance_of: Callable[[Row], float | None],
) -> Callable[[Row], float | None]:
    """Return the reader of the confidence in a label: of probabilities, that of the label beside them.

    The two may be spelled differently, as labels themselves may.
    """

    def read(row: Row) -> float | None:
        value = own(row)
        if value is None:
            return chance_of(row)
        if type(value) is not dict:
            return cast("float", value)
        label = label_of(row)
        if label is None:
            return cast("float", max(value.values()))
        if label in value:
            return cast("float", value[label])
        alike = [name for name in value if _slug(axis, name) == _slug(axis, label)]
        if len(alike) != 1:
            which = f"that of its label, {label!r}" + (f", once and not as {' and '.join(alike)}" if alike else "")
            raise Unreadable(value, f"probabilities with {which}")
        return cast("float", value[alike[0]])

    return read


@lru_cache(maxsize=4096)  # labels are few and documents many
def _slug(axis: str, label: Any) -> Any:
    """Return the slug of a label; an unknown label as it is, to be refused where labels are read."""
    try:
        return CANONICAL[axis](label) if isinstance(label, str) else label
    except LabelError:
        return label


def _chance_reader(places: Sequence[str], shard: str) -> Callable[[Row], Any]:
    """Return the reader of the probability of a label whose own place has probabilities."""
    finders = _finders(places, shard)

    def read(row: Row) -> float | None:
        for place, find in finders.items():
            try:
                value = find(row)
                if value is not None and read_label(value) is not None:
                    return read_chance(value)
            except Unreadable as error:
                if isinstance(error.value, dict) and error.why == RANGE:
                    raise error.at(place) from None
        return None

    return read


def _reader(
    name: str, places: Sequence[str], shard: str, convert: Callable[[Any], Any] | None = None
) -> Callable[[Row], Any]:
    finders = _finders(places, shard)
    text = read_text if name in REQUIRED else read_single
    convert = convert or (read_confidence if name in NUMBERS else read_label if name.startswith(LABEL) else text)
    if len(places) == 1:
        return _reader_of_one(*next(iter(finders.items())), convert)

    def read(row: Row) -> Any:
        problem = None
        for place, find in finders.items():
            try:
                value = find(row)
                found = None if value is None else convert(value)
            except Unreadable as error:
                # A mapping is another layout's: other fields read what is in it.
                problem = problem or (None if isinstance(error.value, dict) else error.at(place))
                continue
            if found is not None:
                return found
        if problem is not None:
            raise problem
        return None

    return read


def _reader_of_one(place: str, find: Callable[[Row], Any], convert: Callable[[Any], Any]) -> Callable[[Row], Any]:
    def read(row: Row) -> Any:
        try:
            value = find(row)
            return None if value is None else convert(value)
        except Unreadable as error:
            raise error.at(place) from None

    return read


def _finders(places: Sequence[str], shard: str) -> dict[str, Callable[[Row], Any]]:
    """Return place -> function from a row to the value there."""
    return {place: _constant(place, shard) if place.startswith(IN_NAME) else finder(place) for place in places}


def _constant(place: str, shard: str) -> Callable[[Row], Any]:
    found = re.search(place.removeprefix(IN_NAME), shard)
    value = found.group(1) if found else None
    return lambda row: value  # noqa: ARG005


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
            f"raw_documents.fields.{name}: {pattern!r} is not a valid regular expression ({error}): fix it"
        ) from error
    if groups != 1:
        raise CorpusError(
            f"raw_documents.fields.{name}: {pattern!r} has {groups} groups: put parentheses around one part, the value"
        )
