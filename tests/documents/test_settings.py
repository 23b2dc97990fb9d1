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


@pytest.mark.parametrize("name", ["max_malformed_share", "max_damaged_share"])
@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_what_may_be_put_aside_is_never_everything(name: str, share: float) -> None:
    with pytest.raises(ValidationError, match=name):
        DocumentSettings.model_validate({name: share})


def test_rules_and_near_duplicates_are_off_until_they_are_asked_for() -> None:
    plain, full = DocumentSettings(), DocumentSettings.model_validate({"quality": {}, "near_duplicates": {}})
    assert (plain.quality, plain.near_duplicates) == (None, None)
    assert full.quality is not None
    assert full.near_duplicates is not None
