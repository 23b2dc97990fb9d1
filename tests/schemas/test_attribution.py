"""Requests have one gold choice an item; scores are one a document, benchmark and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.schemas.attribution import BenchmarkRequests, DocumentScores, TopDocuments

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def requests() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "benchmark": "quiz",
            "item": "quiz/0",
            "cluster": "a",
            "choice": [0, 1],
            "is_gold": [True, False],
            "prompt": "p",
            "completion": [" a", " b"],
            "prompt_ids": [[1], [1]],
            "completion_ids": [[2], [3]],
        }
    )


def test_an_item_has_one_gold_choice(refuses: Callable[..., None], requests: pd.DataFrame) -> None:
    refuses(BenchmarkRequests, requests, "is_gold", value=False, message="every item has one gold choice")


def test_a_choice_stands_once(refuses: Callable[..., None], requests: pd.DataFrame) -> None:
    refuses(BenchmarkRequests, requests, "choice", 1, "unique")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("method", "guess", "method"),
        ("loss", -1.0, "loss"),
        ("score", float("nan"), "score"),
        ("doc_id", "b", "unique"),
    ],
)
def test_score_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    scores = pd.DataFrame(
        {
            "doc_id": ["a", "b"],
            "benchmark": "quiz",
            "method": "trackstar",
            "score": [0.5, -0.5],
            "loss": 3.0,
            "grad_norm": 1.0,
        }
    )
    refuses(DocumentScores, scores, column, value, message)


@pytest.mark.parametrize(("column", "value"), [("rank", 0), ("topic", "cooking"), ("format", "haiku")])
def test_top_document_faults(refuses: Callable[..., None], column: str, value: object) -> None:
    row = {"benchmark": "quiz", "doc_id": "a", "topic": "games", "format": "faq", "score": 1.0, "url": None}
    top = pd.DataFrame([{**row, "rank": rank, "excerpt": "text"} for rank in (1, 2)])
    refuses(TopDocuments, top, column, value)
