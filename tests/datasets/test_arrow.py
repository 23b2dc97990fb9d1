"""Rows come back as they were written, and a stream that was cut anywhere is never read as a shorter one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from kedro.io import DatasetError

from social_provenance.artifacts import Stream
from social_provenance.datasets import ArrowFile
from social_provenance.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = pa.schema([("doc_id", pa.string()), ("input_ids", pa.list_(pa.int32()))])


def batches(count: int) -> Iterator[pa.RecordBatch]:
    for number in range(count):
        columns = {"doc_id": [f"{number}a", f"{number}b"], "input_ids": [[number, 2], [3]]}
        yield pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def test_rows_are_read_from_the_file_in_their_order(tmp_path: Path) -> None:
    file = ArrowFile(filepath=str(tmp_path / "deep" / "t.arrow"))
    assert not file.exists()
    file.save(Stream(SCHEMA, lambda: batches(3)))
    assert file.exists()
    rows = file.load()
    assert rows["doc_id"][:] == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert rows[4]["input_ids"] == [2, 2]
    assert [one["filename"] for one in rows.cache_files] == [str(tmp_path / "deep" / "t.arrow")]


def test_the_same_rows_have_the_same_digest_elsewhere(tmp_path: Path) -> None:
    files = [ArrowFile(filepath=str(tmp_path / name / "t.arrow")) for name in ("one", "other")]
    for file in files:
        file.save(Stream(SCHEMA, lambda: batches(3)))
    assert files[0].digest() == files[1].digest()
    files[1].save(Stream(SCHEMA, lambda: batches(2)))
    assert files[0].digest() != files[1].digest()


def test_an_error_while_rows_are_made_leaves_the_earlier_rows_and_nothing_else(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(2)
        raise ArtifactError("no more")

    file = ArrowFile(filepath=str(tmp_path / "t.arrow"))
    file.save(Stream(SCHEMA, lambda: batches(1)))
    before = file.digest()
    with pytest.raises(DatasetError, match="no more"):
        file.save(Stream(SCHEMA, broken))
    assert file.digest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.arrow"]


def test_a_stream_that_was_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    file = ArrowFile(filepath=str(path))
    file.save(Stream(SCHEMA, lambda: batches(2)))
    whole = path.read_bytes()
    assert len(file.load()) == 4
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(DatasetError, match=r"t\.arrow is not a complete Arrow stream .*run the node"):
            file.load()
