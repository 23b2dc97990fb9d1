"""The figure has what was said for what was given, row by row, and how often a confidence is right."""

from __future__ import annotations

import pandas as pd
import pytest

from social_provenance.figures import labels

CONFUSION = pd.DataFrame(
    [
        ("topic", "games", "games", 3),
        ("topic", "games", "health", 1),
        ("topic", "health", "health", 2),
        ("format", "faq", "faq", 4),
        ("format", "listicle", "faq", 2),
    ],
    columns=["axis", "given", "said", "n_documents"],
)
RELIABILITY = pd.DataFrame(
    [("topic", 0.4, 0.5, 2), ("topic", 0.9, 1.0, 4), ("format", 0.7, 0.6, 6)],
    columns=["axis", "confidence", "accuracy", "n_documents"],
)


def test_a_row_of_a_matrix_is_what_was_said_of_a_given_label() -> None:
    figure = labels.draw(CONFUSION, RELIABILITY)
    topics, formats = (trace for trace in figure.data if trace.type == "heatmap")
    assert list(topics.x) == list(topics.y) == ["Games", "Health"]
    assert topics.z.tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert topics.customdata.tolist() == [[3, 1], [0, 2]]
    assert formats.z.tolist() == [[1.0, 0.0], [1.0, 0.0]]  # nothing was called a listicle, and the column stays


def test_a_curve_has_the_points_of_its_axis() -> None:
    figure = labels.draw(CONFUSION, RELIABILITY)
    curves = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines+markers"]
    assert [list(curve.x) for curve in curves] == [[0.4, 0.9], [0.7]]
    assert [list(curve.y) for curve in curves] == [[0.5, 1.0], [0.6]]
    assert curves[0].marker.size[1] == pytest.approx(18)
    assert curves[0].marker.size[0] < 18


def test_without_a_classifier_the_figure_is_empty() -> None:
    assert not labels.draw(CONFUSION.iloc[:0], RELIABILITY.iloc[:0]).data
