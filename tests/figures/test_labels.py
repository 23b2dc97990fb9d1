"""The figure of labels: matrices of shares, curves of accuracy by confidence."""

from __future__ import annotations

import pandas as pd
import pytest

from social_provenance.figures.labels import draw_labels
from social_provenance.labelling.measure import Quality, compare


@pytest.fixture
def quality() -> Quality:
    given = pd.DataFrame({"topic": ["games", "games", "health"], "format": ["faq", "tutorial", "faq"]})
    said = given.assign(topic=["games", "health", "health"], topic_confidence=[0.9, 0.3, 0.5], format_confidence=1.0)
    return compare(given, said, "linear", 3, 10)


def test_matrices_show_shares_of_the_given_label(quality: Quality) -> None:
    figure = draw_labels(quality.confusion, quality.reliability)
    topics, _ = (trace for trace in figure.data if trace.type == "heatmap")
    assert list(topics.x) == list(topics.y) == ["Games", "Health"]
    assert topics.z.tolist() == [[0.5, 0.5], [0.0, 1.0]]


def test_curves_show_accuracy_by_confidence(quality: Quality) -> None:
    figure = draw_labels(quality.confusion, quality.reliability)
    curves = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines+markers"]
    assert list(curves[0].x) == [0.3, 0.5, 0.9]
    assert list(curves[0].y) == [0.0, 1.0, 1.0]


def test_without_a_classifier_the_figure_is_empty() -> None:
    empty = Quality.load([])
    assert not draw_labels(empty.confusion, empty.reliability).data
