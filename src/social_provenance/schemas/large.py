"""Schemas of tables of any size, on any Ibis backend: one aggregate query, reported by counts.

A failing Pandera check prints the failing values, which for a corpus are megabytes of text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from social_provenance.errors import ArtifactError

Rules = Mapping[str, Callable[[Any], Any]]
"""Rule about a row -> function of a table that marks the rows that violate it (a boolean column)."""

FIX = "run the pipeline that writes it again"

_right: WeakValueDictionary[tuple[type, int], Any] = WeakValueDictionary()
"""Tables that have a schema, as long as they are used; another object is another table, even of the same name."""


class LargeTable:
    """Schema of a large table: columns with types, and rules for every row.

    Attributes:
        columns: Name -> Ibis type; further columns are an error.
        rules: Rules that every row must satisfy.
        key: Columns that are jointly unique and not null. Empty: no key.
    """

    columns: ClassVar[Mapping[str, str]]
    rules: ClassVar[Rules] = {}
    key: ClassVar[Sequence[str]] = ("doc_id",)

    def validate(self, data: Any) -> Any:
        """Return ``data`` unchanged. A table that was found right is not read again in this process.

        Raises:
            ArtifactError: With the violated rule, and the number of rows.
        """
        name, node = type(self).__name__, data.op()
        if _right.get((type(self), id(node))) is node:
            return data
        found = {column: str(kind).removeprefix("!") for column, kind in data.schema().items()}
        if found != dict(self.columns):
            odd = sorted(set(found.items()) ^ set(self.columns.items()))
            raise ArtifactError(
                f"table {name}: columns differ from its schema at {odd[0][0]!r} (it has {found}): {FIX}"
            )
        measures = {f"broken_{index}": rule(data).sum() for index, rule in enumerate(self.rules.values())}
        if self.key:
            measures |= {"rows": data.count(), "keys": _together(data, self.key).nunique()}
        counts = data.aggregate(**measures).execute().iloc[0].fillna(0) if measures else {}
        for index, rule in enumerate(self.rules):
            if counts[f"broken_{index}"]:
                raise ArtifactError(f"table {name}: {int(counts[f'broken_{index}'])} rows where not: {rule}; {FIX}")
        if self.key and counts["rows"] != counts["keys"]:
            lost = int(counts["rows"] - counts["keys"])
            key = " and ".join(self.key)
            raise ArtifactError(f"table {name}: {lost} rows have no {key} or one that another row has: {FIX}")
        _right[type(self), id(node)] = node
        return data


def _together(data: Any, columns: Sequence[str]) -> Any:
    """Join the values of several columns to one text; null if any of them is."""
    first, *others = (data[column].cast("string") for column in columns)
    for other in others:
        first = first.concat("\x1f", other)
    return first
