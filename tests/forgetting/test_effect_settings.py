"""Doses are given once each."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.forgetting.effect_settings import EffectSettings


@pytest.mark.parametrize("name", ["forget_rises", "heldout_rises"])
def test_a_dose_given_twice_is_refused(name: str) -> None:
    with pytest.raises(
        ValidationError, match=rf"{name} \[0.1, 0.1\] must be unique, as each is a reading of its own: name each once"
    ):
        EffectSettings.model_validate({name: [0.1, 0.1]})
