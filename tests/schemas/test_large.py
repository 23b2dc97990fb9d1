"""A key of several columns is unique together, and nothing of a table is quoted."""

from __future__ import annotations

from typing import ClassVar

import ibis
import pytest

from social_provenance.errors import ArtifactError
from social_provenance.schemas.large import LargeTable


class Places(LargeTable):
    columns: ClassVar[dict[str, str]] = {"x": "int64", "y": "string"}
    key: ClassVar[tuple[str, ...]] = ("x", "y")


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        ([(1, "a"), (1, "b"), (2, "a")], 0),
        ([(1, "a"), (1, "a"), (2, "a")], 1),
        ([(1, "1"), (11, ""), (1, None)], 1),
        ([(12, "3"), (1, "23")], 0),
    ],
)
def test_a_key_is_of_all_its_columns(rows: list[tuple[int, str | None]], lost: int) -> None:
    table = ibis.memtable(rows, schema={"x": "int64", "y": "string"})
    if not lost:
        assert Places().validate(table) is table
        return
    with pytest.raises(ArtifactError, match=f"table Places: {lost} rows have no x and y or one that another row has"):
        Places().validate(table)


def test_a_table_without_rules_and_key_only_needs_its_columns() -> None:
    class Free(Places):
        key: ClassVar[tuple[str, ...]] = ()

    table = ibis.memtable([(1, "a"), (1, "a")], schema={"x": "int64", "y": "string"})
    assert Free().validate(table) is table
    with pytest.raises(ArtifactError, match="table Free: columns differ from its schema at 'z'"):
        Free().validate(table.mutate(z=1))
