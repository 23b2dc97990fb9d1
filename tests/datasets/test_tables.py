"""Corpus tables: read back as saved, and shown in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from social_provenance.datasets import TableFile
from social_provenance.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir

ROWS = pd.DataFrame(
    {"doc_id": list("abcdefg"), "text": ["x" * 500, "a\u2028b", "", None, "e", "f", "g"], "n": range(7)}
)


@pytest.fixture
def table(tmp_path: Path) -> TableFile:
    saved = TableFile(filepath=str(tmp_path / "deep" / "t.parquet"))
    saved.save(ibis.memtable(ROWS).order_by("n"))
    return saved


def test_rows_come_back_as_they_were(table: TableFile) -> None:
    pd.testing.assert_frame_equal(table.load().execute(), ROWS)


def test_a_table_is_the_same_object_until_its_file_changes(table: TableFile, tmp_path: Path) -> None:
    first = table.load()
    assert table.load() is first
    TableFile(filepath=str(tmp_path / "deep" / "t.parquet")).save(ibis.memtable(ROWS[:2]).order_by("n"))
    assert table.load().count().execute() == 2
    table.save(ibis.memtable(ROWS[:3]).order_by("n"))
    assert table.load().count().execute() == 3


def test_the_preview_shows_the_first_rows_with_long_texts_cut(table: TableFile) -> None:
    preview = table.preview(nrows=3, max_chars=10)
    assert preview == {
        "index": [0, 1, 2],
        "columns": ["doc_id", "text", "n"],
        "data": [["a", "x" * 10, 0], ["b", "a\u2028b", 1], ["c", "", 2]],
    }


def test_the_preview_of_few_rows_shows_all(table: TableFile) -> None:
    assert len(table.preview(nrows=100)["data"]) == len(ROWS)


def test_several_files_are_one_table(tmp_path: Path) -> None:
    for number, part in enumerate((ROWS[:3], ROWS[3:])):
        TableFile(filepath=str(tmp_path / f"{number}.parquet")).save(ibis.memtable(part).order_by("n"))
    together = TableFile(filepath=str(tmp_path / "*.parquet")).load().order_by("doc_id").execute()
    pd.testing.assert_frame_equal(together, ROWS)


@pytest.mark.parametrize(("own", "most"), [({}, 16_384), ({"save_args": {"row_group_size": 4096}}, 4096)])
def test_row_groups_are_small_because_rows_may_be_documents(tmp_path: Path, own: dict[str, Any], most: int) -> None:
    place = tmp_path / "t.parquet"
    TableFile(filepath=str(place), **own).save(ibis.memtable(pd.DataFrame({"n": range(40_000)})).order_by("n"))
    file = pq.ParquetFile(place).metadata
    assert file.num_rows == 40_000
    assert max(file.row_group(number).num_rows for number in range(file.num_row_groups)) == most


def test_other_formats_are_saved_as_they_are(tmp_path: Path) -> None:
    table = TableFile(filepath=str(tmp_path / "t.csv"), file_format="csv")
    table.save(ibis.memtable(ROWS[["doc_id", "n"]]).order_by("n"))
    pd.testing.assert_frame_equal(table.load().execute(), ROWS[["doc_id", "n"]])


@pytest.fixture
def of_two_joins() -> ir.Table:
    """Return a table whose rows come in the order in which threads finish, were it not for ``order_by``."""
    left = ibis.memtable(pd.DataFrame({"key": range(60_000), "text": [f"text {n}" * 9 for n in range(60_000)]}))
    right = ibis.memtable(pd.DataFrame({"key": range(0, 60_000, 2)}))
    return left.semi_join(right, "key").order_by("key")


def test_the_same_table_is_the_same_bytes_whatever_the_threads(tmp_path: Path, of_two_joins: ir.Table) -> None:
    digests = set()
    for threads in (1, 2, 4) * 3:
        connection = {"backend": "duckdb", "threads": threads}
        table = TableFile(filepath=str(tmp_path / "t.parquet"), connection=connection)
        table.save(of_two_joins)
        digests.add(table.digest())
    assert len(digests) == 1


def test_a_table_without_an_order_is_refused_and_nothing_is_written(tmp_path: Path, refused: Any) -> None:
    table = TableFile(filepath=str(tmp_path / "t.parquet"))
    for unordered in (ibis.memtable(ROWS), ibis.memtable(ROWS).order_by("n").filter(ibis._.n > 1)):
        with refused(ArtifactError, f"the rows of {tmp_path / 't.parquet'} have no order", "order_by"):
            table.save(unordered)
    assert not (tmp_path / "t.parquet").exists()
