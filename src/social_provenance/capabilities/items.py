"""Checks of a benchmark's file before the harness reads it, with the location of each problem."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from social_provenance.errors import BenchmarkError, did_you_mean, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def check_items(path: Path, columns: Iterable[str]) -> None:
    """Check that every item of a JSON-lines file has the columns that its task reads.

    Raises:
        BenchmarkError: Naming the file, the row and the column.
    """
    rows = 0
    needed = sorted(columns)
    for rows, item in _read(path):
        for column in needed:
            if column not in item:
                hint = did_you_mean(column, item) or f"; it has {', '.join(item)}"
                raise BenchmarkError(f"{path}, row {rows}: no column {column!r}{hint}")
    if not rows:
        raise BenchmarkError(f"{path} has no item: give one JSON object per line")


def columns_of(config: dict[str, Any]) -> set[str]:
    """Return the columns that the templates of a task definition use; functions are not inspected."""
    from jinja2 import Environment, meta

    names: set[str] = set()
    for key in ("description", "doc_to_text", "doc_to_choice", "doc_to_target"):
        template = config.get(key)
        if isinstance(template, str):
            names |= meta.find_undeclared_variables(Environment(autoescape=False).parse(template))
            if key != "description" and template.isidentifier():
                names.add(template)
    return names


def first_item(path: Path) -> dict[str, Any]:
    """Return the first item of a JSON-lines file that passed :func:`check_items`."""
    return next(item for _, item in _read(path))


def check_prompt(place: str, prompt: object) -> None:
    """Check that an item has a prompt.

    Raises:
        BenchmarkError: If it is empty, or no text.
    """
    if not isinstance(prompt, str):
        raise BenchmarkError(f"{place}: its prompt {excerpt(prompt)} is not text")
    if not prompt:
        raise BenchmarkError(f"{place}: its prompt is empty")


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
    """Check that the choices of an item differ in their tokens.

    Args:
        place: Name of the item in error messages.
        choices: ``completion`` and ``completion_ids`` of each choice.

    Raises:
        BenchmarkError: If two choices have the same tokens, or one has none.
    """
    seen: dict[tuple[int, ...], str] = {}
    for choice in choices:
        tokens, text = tuple(choice["completion_ids"]), choice["completion"]
        if not tokens:
            raise BenchmarkError(f"{place}: choice {text!r} has no tokens; the answer would be ambiguous")
        if tokens in seen:
            raise BenchmarkError(
                f"{place}: choices {seen[tokens]!r} and {text!r} are the same tokens; the answer would be ambiguous"
            )
        seen[tokens] = text


def evenly_spaced(count: int, limit: int | None) -> list[int]:
    """Return the indices of at most ``limit`` of ``count`` items, from first to last.

    The first items of a benchmark are often about one subject; evenly spaced ones cover all.
    """
    kept = count if limit is None else min(limit, count)
    return [place * count // kept for place in range(kept)]


def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.exists():
        raise BenchmarkError(f"there is no benchmark file {path}: give its folder with --params benchmarks=DIR")
    with path.open(encoding="utf-8", newline="\n") as stream:
        for row, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
            except json.JSONDecodeError as error:
                raise BenchmarkError(f"{path}, row {row} is not JSON ({error.msg}): {excerpt(line.strip())}") from error
            if not isinstance(item, dict):
                raise BenchmarkError(f"{path}, row {row} is not a JSON object: {excerpt(line.strip())}")
            yield row, item
