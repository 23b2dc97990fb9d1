"""The section says how good labels are and what is confused, or that no classifier was needed."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest

from social_provenance.report.labels import MISTAKES, labels

QUALITY = pd.DataFrame(
    [
        {
            "axis": axis,
            "label_source": "linear",
            "accuracy": accuracy,
            "macro_f1": 0.5,
            "majority_share": 0.1,
            "confidence": 0.7,
            "calibration_error": 0.021,
            "n_train": 1000,
            "n_test": 1500,
        }
        for axis, accuracy in (("topic", 0.745), ("format", 0.675))
    ]
)
CONFUSION = pd.DataFrame(
    [("topic", "games", "games", 90), ("topic", "games", "health", 7), ("format", "faq", "listicle", 3)],
    columns=["axis", "given", "said", "n_documents"],
)


def test_accuracy_calibration_and_mistakes_are_told() -> None:
    page = " ".join(labels(go.Figure(), QUALITY, CONFUSION).split())
    for piece in ("74.5%", "67.5%", "0.021", "1,500", "<td>Games</td><td>Health</td>", "<td>FAQ</td><td>Listicle</td>"):
        assert piece in page, piece
    assert "<td>Games</td><td>Games</td>" not in page  # what is right is no mistake


def test_only_the_commonest_mistakes_are_listed() -> None:
    many = pd.DataFrame(
        [("topic", "games", said, n) for n, said in enumerate(["health", "religion", "politics"] * 3, start=1)],
        columns=["axis", "given", "said", "n_documents"],
    )
    page = labels(go.Figure(), QUALITY, many)
    assert page.count("<td>Games</td>") == MISTAKES


@pytest.mark.parametrize("axis", ["topic", "format"])
def test_without_a_mistake_there_is_none(axis: str) -> None:
    right = CONFUSION[CONFUSION["given"] == CONFUSION["said"]]
    page = labels(go.Figure(), QUALITY, right)
    assert f"Commonest mistakes, {axis}s" in page
    assert page.count("<p>None.</p>") == 2


def test_without_a_classifier_the_section_says_so() -> None:
    page = labels(go.Figure(), QUALITY.iloc[:0], CONFUSION.iloc[:0])
    assert "Every document came with its labels" in page
