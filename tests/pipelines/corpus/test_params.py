"""Bounds of a document's length do not contradict each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.pipelines.corpus.params import Documents


def test_bounds_may_meet() -> None:
    assert Documents(min_chars=50, max_chars=50).max_chars == 50


def test_crossed_bounds_are_refused_with_both() -> None:
    with pytest.raises(ValidationError, match=r"min_chars \(51\) exceeds max_chars \(50\)"):
        Documents(min_chars=51, max_chars=50)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_malformed_records_is_below_one(share: float) -> None:
    with pytest.raises(ValidationError, match="max_malformed_share"):
        Documents(max_malformed_share=share)
