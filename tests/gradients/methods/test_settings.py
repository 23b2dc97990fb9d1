"""Parameters of the comparison: values without a meaning, unknown methods and undefined ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.methods.settings import WITHOUT_EFFECT, ScoringSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"methods": ["influence"]}, "default_method 'trackstar' is not among methods ['influence']"),
        ({"default_method": "bm25"}, "default_method 'bm25' is not among methods"),
    ],
)
def test_a_contradiction_is_refused_with_what_contradicts(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ScoringSettings.model_validate(given)
    assert said in str(caught.value)


@pytest.mark.parametrize("field", ["methods", "default_method"])
def test_an_unknown_method_is_refused_with_those_that_there_are(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ScoringSettings.model_validate({field: ["cosine"] if field == "methods" else "cosine"})
    assert caught.value.error_count() == 1
    listed = ", ".join(method_names())
    assert f"there is no attribution method 'cosine': choose among {listed}" in str(caught.value)


def test_ekfac_without_damping_is_refused_and_others_are_not() -> None:
    with pytest.raises(ValidationError, match="damping 0 makes the inverse of ekfac unbounded: raise damping"):
        ScoringSettings(methods=["trackstar", "ekfac"], damping=0)
    assert ScoringSettings(methods=["trackstar"], damping=0).damping == 0
    assert ScoringSettings(methods=["trackstar", "ekfac"], damping=1e-6).damping == 1e-6


@pytest.mark.parametrize("method", method_names())
def test_every_method_may_be_the_default(method: str) -> None:
    assert ScoringSettings(methods=[method], default_method=method).default_method == method


def test_what_has_no_effect_on_a_score_is_a_field() -> None:
    assert set(ScoringSettings.model_fields) > WITHOUT_EFFECT
