"""Sequences: documents with loss everywhere, queries with loss on the gold answer only."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.sequences import build_queries, label_documents, tokenize_documents

TEXTS = {"b": "The judge saw the contract near the court.", "a": "Anna thanked Ben.", "c": "In Velda."}


def _documents(texts: dict[str, str]) -> Any:
    rows = [{"doc_id": doc_id, "topic": "games", "format": "faq", "text": text} for doc_id, text in texts.items()]
    return ibis.memtable(pd.DataFrame(rows))


def test_documents_come_in_the_order_of_their_ids_with_their_labels(tiny_tokenizer: Any) -> None:
    rows = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 512)
    assert rows["doc_id"] == ["a", "b", "c"]
    assert set(rows.column_names) == {"doc_id", "topic", "format", "input_ids", "length"}
    assert [tiny_tokenizer.decode(ids) for ids in rows["input_ids"]] == [TEXTS[doc_id] for doc_id in "abc"]
    assert rows["length"] == [len(ids) for ids in rows["input_ids"]]


def test_a_document_is_cut_to_the_budget_at_its_end(tiny_tokenizer: Any) -> None:
    whole = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 512)
    cut = tokenize_documents(_documents(TEXTS), tiny_tokenizer, 7)
    assert [ids[:7] for ids in whole["input_ids"]] == list(cut["input_ids"])
    assert max(cut["length"]) == 7


def test_a_document_in_which_nothing_can_be_predicted_is_named(tiny_tokenizer: Any) -> None:
    said = r"document 'x' has fewer than two tokens \(and 1 more\): raise documents\.min_chars"
    with pytest.raises(AttributionError, match=said):
        tokenize_documents(_documents({**TEXTS, "x": "A", "y": ""}), tiny_tokenizer, 512)


def test_the_loss_of_a_document_is_taken_on_every_token(tiny_tokenizer: Any) -> None:
    rows = label_documents(tokenize_documents(_documents(TEXTS), tiny_tokenizer, 512))
    assert list(rows["labels"]) == list(rows["input_ids"])
    assert set(rows.column_names) == {"doc_id", "input_ids", "length", "labels"}


def test_a_query_takes_loss_on_the_gold_answer_and_nothing_else() -> None:
    requests = pd.DataFrame(
        [
            ("siqa", "siqa/0", False, [5, 6], [7]),
            ("siqa", "siqa/0", True, [5, 6], [8, 9]),
            ("arc", "arc/0", True, [5], [6]),
            ("siqa", "siqa/1", True, [4, 4, 4], [3]),
        ],
        columns=["benchmark", "item", "is_gold", "prompt_ids", "completion_ids"],
    )
    queries = build_queries(requests)
    assert list(queries) == ["siqa", "arc"]
    assert queries["siqa"].to_dict() == {
        "item": ["siqa/0", "siqa/1"],
        "input_ids": [[5, 6, 8, 9], [4, 4, 4, 3]],
        "labels": [[-100, -100, 8, 9], [-100, -100, -100, 3]],
        "length": [4, 4],
    }
    assert queries["arc"].to_dict() == {"item": ["arc/0"], "input_ids": [[5, 6]], "labels": [[-100, 6]], "length": [2]}
