"""Tables of discoveries: one that was not made is none."""

from __future__ import annotations

from social_provenance.schemas.attribution import OptionalNullScores


def test_a_null_that_was_not_made_is_no_table() -> None:
    assert OptionalNullScores().validate(None) is None
