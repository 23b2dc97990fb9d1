"""Bounds of a document's length do not contradict each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.documents.settings import DocumentSettings


def test_bounds_may_meet() -> None:
    assert DocumentSettings(min_chars=50, max_chars=50).max_chars == 50


def test_crossed_bounds_are_refused_with_both() -> None:
    with pytest.raises(ValidationError, match=r"min_chars \(51\) exceeds max_chars \(50\)"):
        DocumentSettings(min_chars=51, max_chars=50)


def test_rules_and_near_duplicates_are_off_until_they_are_asked_for() -> None:
    plain, full = DocumentSettings(), DocumentSettings.model_validate({"quality": {}, "near_duplicates": {}})
    assert (plain.quality, plain.near_duplicates) == (None, None)
    assert full.quality is not None
    assert full.near_duplicates is not None
