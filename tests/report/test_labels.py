"""The section on labels: figures of the classifier, or that none was needed."""

from __future__ import annotations

import pandas as pd
import pytest

from social_provenance.figures.labels import draw_labels
from social_provenance.labelling.measure import Quality, compare
from social_provenance.report.labels import write_labels


def section(quality: Quality) -> str:
    return write_labels(draw_labels(quality.confusion, quality.reliability), quality.quality, quality.confusion)


@pytest.mark.parametrize(
    ("source", "sentence"), [("linear", "A linear classifier"), ("official", "The classifiers that")]
)
def test_it_shows_accuracy_calibration_and_mistakes(source: str, sentence: str) -> None:
    given = pd.DataFrame({"topic": ["games"] * 3 + ["health"], "format": ["faq"] * 4})
    said = given.assign(topic=["games", "health", "health", "health"], topic_confidence=0.75, format_confidence=1.0)
    page = section(compare(given, said, source, 1234, 10))
    assert sentence in page
    assert "50.0%" in page
    assert "0.250" in page
    assert "1,234" in page
    assert '<tr><td>Games</td><td>Health</td><td class="n">2</td></tr>' in page
    assert "None." in page  # no format was mistaken
    assert "labels-figure" in page


def test_without_a_classifier_it_says_so() -> None:
    assert "Every document came with its labels" in section(Quality.load([]))
