"""Documents on disk are what they would be in memory, in this process and in another."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pyarrow as pa

from social_provenance.artifacts import Stream
from social_provenance.datasets import ArrowFile
from social_provenance.training.documents import DocumentTokens, StoredTokens

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

TOKENS = {"a": [1, 2], "b": [3], "c": [4, 5, 6], "d": [7]}


def stored(folder: Path, repeat: int = 1) -> Dataset:
    ids = [list(ids) * repeat for ids in TOKENS.values()]
    rows = pa.RecordBatch.from_pydict({"doc_id": list(TOKENS), "input_ids": ids})
    file = ArrowFile(filepath=str(folder / f"{repeat}.arrow"))
    file.save(Stream(rows.schema, lambda: iter([rows])))
    return file.load()


def test_documents_are_found_by_their_id(tmp_path: Path) -> None:
    found = DocumentTokens(stored(tmp_path), {"d", "b", "none"})
    assert dict(found) == {"b": [3], "d": [7]}
    assert found.places == [1, 3]
    assert "a" not in found


def test_another_process_gets_places_and_no_tokens(tmp_path: Path) -> None:
    small, large = (pickle.dumps(DocumentTokens(stored(tmp_path, repeat), TOKENS)) for repeat in (1, 10_000))
    assert abs(len(large) - len(small)) < 100
    assert dict(pickle.loads(small)) == TOKENS


def test_an_order_of_documents_is_a_sequence_of_their_tokens(tmp_path: Path) -> None:
    own = StoredTokens(stored(tmp_path), [2, 0, 3])
    assert list(own) == [[4, 5, 6], [1, 2], [7]]
    assert list(own[1:]) == [[1, 2], [7]]
    assert (len(own), own[-1]) == (3, [7])
