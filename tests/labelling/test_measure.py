"""Tables of a classifier's quality, and tables without rows where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.labelling.measure import COLUMNS, Quality, compare
from social_provenance.schemas.taxonomy import ClassifierConfusion, ClassifierQuality, ClassifierReliability

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = pd.DataFrame({"topic": ["games", "games", "health", "games"], "format": ["faq", "faq", "faq", "tutorial"]})
SAID = pd.DataFrame(
    {
        "topic": ["games", "health", "health", "games"],
        "topic_confidence": [0.9, 0.6, 0.8, 0.7],
        "format": ["faq", "faq", "faq", "faq"],
        "format_confidence": [0.5, 0.5, 0.5, 0.5],
    }
)


def test_the_tables_say_what_was_right() -> None:
    found = compare(GIVEN, SAID, "linear", 7, 10)
    topic, form = found.quality.to_dict("records")
    assert (topic["accuracy"], topic["majority_share"], topic["confidence"]) == (0.75, 0.75, pytest.approx(0.75))
    assert topic["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert form["macro_f1"] == pytest.approx((6 / 7 + 0) / 2)
    assert form["calibration_error"] == pytest.approx(0.25)
    assert (topic["n_train"], topic["n_test"], topic["label_source"]) == (7, 4, "linear")
    pairs = found.confusion.set_index(["axis", "given", "said"])["n_documents"]
    assert pairs["topic"].to_dict() == {("games", "games"): 2, ("games", "health"): 1, ("health", "health"): 1}
    assert found.reliability.groupby("axis")["n_documents"].sum().to_dict() == {"topic": 4, "format": 4}


def test_tables_are_kept_and_fit_their_schemas(tmp_path: Path) -> None:
    found = compare(GIVEN, SAID, "linear", 7, 10)
    found.save(tmp_path)
    loaded = Quality.load([tmp_path])
    for schema, kept, made in zip(
        (ClassifierQuality, ClassifierConfusion, ClassifierReliability),
        (loaded.quality, loaded.confusion, loaded.reliability),
        (found.quality, found.confusion, found.reliability),
        strict=True,
    ):
        pd.testing.assert_frame_equal(kept, made, check_dtype=False)
        schema.validate(kept)


def test_without_a_classifier_the_tables_have_no_rows() -> None:
    empty = Quality.load([])
    assert [list(table) for table in (empty.quality, empty.confusion, empty.reliability)] == [
        list(types) for types in COLUMNS.values()
    ]
    assert ClassifierQuality.validate(empty.quality).empty
    assert ClassifierConfusion.validate(empty.confusion).empty
    assert ClassifierReliability.validate(empty.reliability).empty
