"""Documents as token sequences, and passages from documents that are not attributed to."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import ibis
import pandas as pd
import pytest

from social_provenance.encoding import Encoder
from social_provenance.errors import AttributionError
from social_provenance.gradients.walk import sequences
from social_provenance.gradients.walk.sequences import held_out, stream_tokens, tokenize_documents

TEXTS = {"b": "The judge saw the contract near the court.", "a": "Anna thanked Ben.", "c": "In Velda."}


def _documents(texts: dict[str, str]) -> Any:
    rows = [
        {"doc_id": doc_id, "topic": "games", "format": "faq", "bin_rank": rank, "url": "example.org", "text": text}
        for rank, (doc_id, text) in enumerate(texts.items())
    ]
    return ibis.memtable(pd.DataFrame(rows))


def test_documents_come_in_the_order_of_their_ids_with_their_place_in_the_corpus(tiny_tokenizer: Any) -> None:
    rows = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 512)
    assert rows["doc_id"] == ["a", "b", "c"]
    assert rows["bin_rank"] == [1, 0, 2]
    assert set(rows["topic"]) == {"games"}
    assert set(rows["format"]) == {"faq"}
    assert set(rows.column_names) == {"doc_id", "topic", "format", "bin_rank", "input_ids", "length"}
    assert [tiny_tokenizer.decode(ids) for ids in rows["input_ids"]] == [TEXTS[doc_id] for doc_id in "abc"]
    assert rows["length"] == [len(ids) for ids in rows["input_ids"]]


def test_a_document_is_cut_to_the_budget_at_its_end(tiny_tokenizer: Any) -> None:
    whole = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 512)
    cut = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 7)
    assert [ids[:7] for ids in whole["input_ids"]] == list(cut["input_ids"])
    assert max(cut["length"]) == 7


def test_documents_that_come_in_another_order_give_the_same_sequences(tiny_tokenizer: Any) -> None:
    table = _documents(TEXTS)
    turned = table.order_by(ibis.desc("text"))
    one, other = (tokenize_documents(each, tiny_tokenizer, 512).to_dict() for each in (table, turned))
    assert one == other


def test_a_document_in_which_nothing_can_be_predicted_is_named(tiny_tokenizer: Any) -> None:
    said = r"document 'x' has fewer than two tokens: raise documents\.min_chars"
    with pytest.raises(AttributionError, match=said):
        tokenize_documents(_documents({**TEXTS, "x": "A", "y": ""}), tiny_tokenizer, 512)


@pytest.mark.parametrize(("batch", "chunk"), [(1, 3), (2, 1), (5, 2), (7, 100)])
def test_rows_are_written_in_batches_of_one_size_however_an_engine_cuts_them(
    batch: int, chunk: int, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"d{number:02d}": f"The rod {number} is hot." for number in range(13)}
    whole = tokenize_documents(_documents(texts), tiny_tokenizer, 512)
    cut = Cut(_documents(texts), chunk)
    monkeypatch.setattr(sequences, "BATCH", batch)
    batches = list(stream_tokens(cut, tiny_tokenizer, 512).batches())
    assert [len(rows) for rows in batches] == [batch] * (13 // batch) + [13 % batch] * (13 % batch > 0)
    assert [row for rows in batches for row in rows.to_pylist()] == whole.to_list()


def test_two_processes_give_the_rows_of_one(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "BATCH", 3)
    table = _documents({f"d{number:02d}": f"The rod {number} is hot." for number in range(20)})
    one, two = (list(stream_tokens(table, tiny_tokenizer, 6, processes).batches()) for processes in (1, 2))
    assert one == two
    assert len(one) == 7


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_some_documents_are_decoded_again_and_they_are_evenly_spaced(
    count: int, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(Encoder, "warn_of_lost_text", lambda _, texts: tried.extend(texts))
    monkeypatch.setattr(sequences, "BATCH", 10)
    texts = {f"d{number:03d}": f"The rod {number} is hot." for number in range(count)}
    with caplog.at_level(logging.WARNING):
        list(stream_tokens(_documents(texts), tiny_tokenizer, 512).batches())
    assert tried == list(texts.values())[:: -(-count // sequences.TRIED)]


class Cut:
    """A table whose engine cuts its rows at places of its own."""

    def __init__(self, table: Any, size: int) -> None:
        self._table, self._size = table, size

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._table, name)
        return (lambda *given: Cut(found(*given), self._size)) if name in ("select", "order_by") else found

    def to_pyarrow_batches(self, chunk_size: int) -> Any:
        assert chunk_size == sequences.BATCH
        return self._table.to_pyarrow().to_batches(max_chunksize=self._size)


def _held_out(tokenizer: Any, seed: int, within: tuple[str, ...] = ("d3", "d5")) -> list[str]:
    documents = _documents({f"d{number}": f"The rod {number} is hot." for number in range(12)})
    working_set = ibis.memtable(pd.DataFrame({"doc_id": list(within), "text": ["other"] * len(within)}))
    return [tokenizer.decode(ids) for ids in held_out(documents, working_set, tokenizer, seed)]


def test_held_out_documents_are_those_outside_the_working_set_whole_and_in_a_seeded_order(
    tiny_tokenizer: Any,
) -> None:
    found = _held_out(tiny_tokenizer, 7)
    names = [f"d{number}" for number in range(12) if number not in (3, 5)]
    expected = sorted(names, key=lambda name: hashlib.md5(f"7:{name}".encode(), usedforsecurity=False).hexdigest())
    assert found == [f"The rod {name[1:]} is hot." for name in expected]
    assert _held_out(tiny_tokenizer, 7) == found
    other = _held_out(tiny_tokenizer, 8)
    assert other != found
    assert set(other) == set(found)


def test_held_out_documents_are_capped(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _held_out(tiny_tokenizer, 7)
    monkeypatch.setattr(sequences, "HELD_OUT", 4)
    assert _held_out(tiny_tokenizer, 7) == whole[:4]


def test_a_working_set_of_all_documents_leaves_none(tiny_tokenizer: Any) -> None:
    assert _held_out(tiny_tokenizer, 7, tuple(f"d{number}" for number in range(12))) == []
