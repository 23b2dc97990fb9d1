"""Doses are given once each."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.forgetting.effect_settings import EffectSettings


<<<<<<< HEAD
@pytest.mark.parametrize("name", ["forget_rises", "heldout_rises"])
def test_a_dose_given_twice_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=rf"{name} \[0.1, 0.1\] must be unique: each is a reading of its own"):
        EffectSettings.model_validate({name: [0.1, 0.1]})
=======
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("forget_rises", [0.1, 0.1], "forget_rises [0.1, 0.1] must be unique: each is a reading of its own"),
        ("heldout_rises", [0.01, 0.01], "heldout_rises [0.01, 0.01] must be unique"),
        ("forget_rises", [0.0], "greater than 0"),
        ("equivalence_margin", 0, "greater than 0"),
        ("margin", 0.1, "Extra inputs are not permitted"),
    ],
)
def test_a_value_without_meaning_is_refused(field: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EffectSettings.model_validate({field: value})
    assert said in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        EffectSettings().equivalence_margin = 1.0  # type: ignore[misc]
>>>>>>> forgetting
