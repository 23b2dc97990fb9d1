"""Look at a benchmark's own file before the harness does: what is wrong with it, and where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from social_provenance.errors import BenchmarkError, did_you_mean, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def check_items(path: Path, columns: Iterable[str]) -> None:
    """Make sure that every item of a JSON-lines file has the columns that its task reads.

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
        raise BenchmarkError(f"{path} has no item: give one JSON object a line")


def columns_of(config: dict[str, Any]) -> set[str]:
    """Return the columns that the templates of a task definition name; functions name none."""
    from jinja2 import Environment, meta

    names: set[str] = set()
    for key in ("description", "doc_to_text", "doc_to_choice", "doc_to_target"):
        template = config.get(key)
        if isinstance(template, str):
            names |= meta.find_undeclared_variables(Environment(autoescape=False).parse(template))
            if key != "description" and template.isidentifier():
                names.add(template)
    return names


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
