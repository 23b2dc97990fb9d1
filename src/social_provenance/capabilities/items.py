"""Items of a benchmark's file, exactly as they are in the file, and checks with the location of each problem.

A text is a text: no type is inferred, so that ``2020-02-02`` is no date and a number is rendered as it is written
(``1969``, ``1969.0``, ``1.50``).
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from social_provenance.errors import BenchmarkError, did_you_mean, excerpt
from social_provenance.json_text import BYTE_ORDER_MARKS, distinct, explain_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SELECTORS = (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(map(chr, _SELECTORS)))
"""Letters, marks and signs that are shown as nothing: fillers, joiners, variation selectors, the empty Braille sign."""

MOST_DIGITS = 4300
"""Digits of a whole number that Python reads."""


class WrittenNumber(float):
    """A number of an item that Python would write in another way: its text is that of the file.

    >>> f"{WrittenNumber('1.50')}", WrittenNumber("1.50") + 1
    ('1.50', 2.5)
    """

    def __new__(cls, text: str) -> WrittenNumber:
        """Return the number that is written as ``text``."""
        number = super().__new__(cls, text)
        number._text = text
        return number

    _text: str

    def __getnewargs__(self) -> Any:
        """Return what a copy is made of."""
        return (self._text,)

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def __format__(self, specification: str) -> str:
        return format(float(self), specification) if specification else self._text


@dataclass(frozen=True)
class Items:
    """Items of a file, as lm-eval reads the documents of a task.

    Attributes:
        rows: Items in their order: field -> value.
        lines: Line of the file of each item, from 1.
        place: The file.
    """

    rows: list[dict[str, Any]]
    lines: list[int]
    place: str

    @property
    def features(self) -> dict[str, None]:
        """Names of all fields."""
        return dict.fromkeys(name for row in self.rows for name in row)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.rows[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)


def read_items(path: Path, columns: Iterable[str] = ()) -> Items:
    """Return the items of a JSON-lines file.

    Args:
        path: File in UTF-8, one JSON object per line; blank lines are skipped.
        columns: Fields that every item must have.

    Raises:
        BenchmarkError: Naming the file, the line, what is wrong there, and the fix.
    """
    rows, lines = [], []
    needed = sorted(columns)
    for line, item in _read(path):
        for column in needed:
            if column not in item:
                hint = did_you_mean(column, item) or f" (it has {', '.join(item)})"
                raise BenchmarkError(
                    f"{path}, line {line}: no column {column!r}{hint}; add it, or rename the one meant"
                )
        rows.append(item)
        lines.append(line)
    if not rows:
        raise BenchmarkError(f"{path} has no item: give one JSON object per line")
    return Items(rows, lines, path.name)


def typed_items(items: Items) -> Any:
    """Return items as a ``datasets.Dataset``, for tasks of lm-eval that transform their documents.

    Raises:
        BenchmarkError: If a column has values of several types, so that some would change.
    """
    from datasets import Dataset

    advice = "give the field values of one type, texts in quotes"
    try:
        data = Dataset.from_list([dict.fromkeys(items.features) | row for row in items.rows])
    except Exception as error:
        raise BenchmarkError(
            f"{items.place}: a field has values of several types ({excerpt(str(error), 160)}): {advice}"
        ) from error
    for line, row, read in zip(items.lines, items.rows, data, strict=True):
        for name, value in row.items():
            if not _kept(value, read[name]):
                raise BenchmarkError(
                    f"{items.place}, line {line}: {name!r} {excerpt(value)} would be changed to "
                    f"{excerpt(read[name])}: {advice}"
                )
    return data


def _kept(value: Any, read: Any) -> bool:
    """Return whether a value is read back as it was written; missing fields of objects become null."""
    if isinstance(value, dict):
        return isinstance(read, dict) and all(_kept(own, read.get(name)) for name, own in value.items())
    if isinstance(value, list):
        return isinstance(read, list) and len(value) == len(read) and all(map(_kept, value, read))
    return str(value) == str(read) and isinstance(value, str) == isinstance(read, str)


def columns_of(config: dict[str, Any]) -> set[str]:
    """Return the columns that the templates of a task definition use; functions are not inspected.

    Raises:
        BenchmarkError: If one is no Jinja template.
    """
    from jinja2 import Environment, TemplateSyntaxError, meta

    names: set[str] = set()
    for key in ("description", "doc_to_text", "doc_to_choice", "doc_to_target"):
        template = config.get(key)
        if isinstance(template, str):
            try:
                names |= meta.find_undeclared_variables(Environment(autoescape=False).parse(template))
            except (TemplateSyntaxError, RecursionError) as error:
                raise BenchmarkError(
                    f"task {config.get('task')!r}: {key} {excerpt(template)} is no Jinja template ({error}): fix it"
                ) from error
            if key != "description" and template.isidentifier():
                names.add(template)
    return names


def check_prompt(place: str, prompt: object) -> None:
    """Check that an item has a prompt.

    Raises:
        BenchmarkError: If it is empty or blank, or no text.
    """
    if not isinstance(prompt, str):
        raise BenchmarkError(f"{place}: its prompt {excerpt(prompt)} is not text: give it text in quotes")
    if is_blank(prompt):
        raise BenchmarkError(f"{place}: its prompt {excerpt(prompt)} is blank: give it text")


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing: only blanks, controls, and what Unicode shows as nothing."""
    return all(sign in INVISIBLE or unicodedata.category(sign)[0] in "CZ" for sign in text)


def check_length(place: str, tokens: int, limit: int) -> None:
    """Check that an item fits the model's context; lm-eval would truncate it silently.

    Raises:
        BenchmarkError: If it has more tokens than the limit.
    """
    if tokens > limit:
        raise BenchmarkError(
            f"{place}: {tokens} tokens exceed the model's limit of {limit}: use a model with a longer context"
        )


def check_choices(place: str, choices: Iterable[dict[str, Any]]) -> None:
    """Check that an item has two choices or more, which differ in their tokens.

    Args:
        place: Name of the item in error messages.
        choices: ``completion`` and ``completion_ids`` of each choice.

    Raises:
        BenchmarkError: If there is one choice, two have the same tokens, or one has none.
    """
    seen: dict[tuple[int, ...], str] = {}
    for choice in choices:
        tokens, text = tuple(choice["completion_ids"]), choice["completion"]
        if not tokens:
            raise BenchmarkError(
                f"{place}: choice {text!r} has no tokens, so the answer would be ambiguous: give it text"
            )
        if tokens in seen:
            raise BenchmarkError(
                f"{place}: choices {seen[tokens]!r} and {text!r} are the same tokens, so the answer would be "
                f"ambiguous: change or remove one"
            )
        seen[tokens] = text
    if len(seen) < 2:
        only = f" ({next(iter(seen.values()))!r})" if seen else ""
        raise BenchmarkError(
            f"{place}: it has {len(seen)} choice{'' if seen else 's'}{only}, so every model answers it right: give it "
            f"two or more"
        )


def evenly_spaced(count: int, limit: int | None) -> list[int]:
    """Return the indices of at most ``limit`` of ``count`` items, from first to last.

    The first items of a benchmark are often about one subject; evenly spaced ones cover all.
    """
    kept = count if limit is None else min(limit, count)
    return [place * count // kept for place in range(kept)]


def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.exists():
        raise BenchmarkError(f"there is no benchmark file {path}: give its folder with --params benchmarks=DIR")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchmarkError(
            f"benchmark file {path} cannot be read ({error.strerror}): give a file of items"
        ) from error
    if content.startswith(BYTE_ORDER_MARKS):
        raise BenchmarkError(
            f"{path}, line 1 starts with a byte-order mark ({excerpt(content[:3])}): save the file as UTF-8 without one"
        )
    for line, text in enumerate(content.split(b"\n"), start=1):
        if text.strip():
            yield line, _parse(f"{path}, line {line}", text.rstrip())


def _parse(place: str, line: bytes) -> dict[str, Any]:
    """Return the object of a line; orjson is strict, the standard library keeps numbers as they are written."""
    import orjson

    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise BenchmarkError(
            f"{place} is not UTF-8 (byte {line[error.start : error.start + 1]!r} in column {error.start + 1}): "
            f"{excerpt(line.decode(errors='replace'))}; save the file as UTF-8"
        ) from error
    try:
        orjson.loads(line)
        item = json.loads(
            text, parse_float=_number, parse_int=_whole, parse_constant=_refuse, object_pairs_hook=distinct
        )
    except (ValueError, RecursionError) as error:
        raise BenchmarkError(f"{place} is not JSON ({_why(error, text)}): {excerpt(text)}; fix the line") from error
    if not isinstance(item, dict):
        raise BenchmarkError(f"{place} is not a JSON object: {excerpt(text)}; give one object per line")
    return item


def _why(error: Exception, text: str) -> str:
    """Return the cause of a JSON error with its column, from 1."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    return explain_fault(text, error)[0]


def _number(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else WrittenNumber(text)


def _whole(text: str) -> int | float:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits; write it in quotes")
    return int(text) if text != "-0" else WrittenNumber(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
