"""A key of several columns is unique together, and nothing of a table is quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import ibis
import pytest

from social_provenance.datasets import TableFile
from social_provenance.errors import ArtifactError
from social_provenance.schemas.large import LargeTable

if TYPE_CHECKING:
    from pathlib import Path

    from social_provenance.schemas.large import Rules


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


def test_a_table_that_was_found_right_is_not_read_again_and_one_that_was_not_is(
    tmp_path: Path,
) -> None:
    reads: list[str] = []

    class Read(Places):
        rules: ClassVar[Rules] = {"x is positive": lambda table: reads.append("read") or table.x < 1}

    file = TableFile(filepath=str(tmp_path / "t.parquet"))
    rows = {"x": "int64", "y": "string"}
    file.save(ibis.memtable([(1, "a"), (2, "b")], schema=rows).order_by("x"))
    for _ in range(3):
        Read().validate(file.load())
    assert reads == ["read"]
    Places().validate(file.load())
    file.save(ibis.memtable([(0, "a"), (2, "b")], schema=rows).order_by("x"))
    for count in (2, 3):
        with pytest.raises(ArtifactError, match="1 rows where not: x is positive"):
            Read().validate(file.load())
        assert len(reads) == count
