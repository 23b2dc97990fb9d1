"""Gradient settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import ValidationError

from social_provenance.gradients.settings import (
    BASELINES,
    GRADIENT_METHODS,
    METHODS,
    GradientSettings,
    Method,
    ScoringSettings,
)

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        (GradientSettings, {"max_tokens": 4097}, "max_tokens 4097 is above token_batch 4096: raise token_batch"),
        (GradientSettings, {"token_batch": 4095}, "max_tokens 4096 is above token_batch 4095: raise token_batch"),
        (ScoringSettings, {"methods": ["influence"]}, "default_method 'trackstar' is not among methods ['influence']"),
        (ScoringSettings, {"default_method": "bm25"}, "default_method 'bm25' is not among methods"),
    ],
)
def test_a_contradiction_is_refused_with_what_contradicts(
    model: type[BaseModel], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    assert said in str(caught.value)


def test_ekfac_without_damping_is_refused_and_others_are_not() -> None:
    with pytest.raises(ValidationError, match="damping 0 leaves the inverse of ekfac without bounds: raise damping"):
        ScoringSettings(methods=["trackstar", "ekfac"], damping=0)
    assert ScoringSettings(methods=["trackstar"], damping=0).damping == 0
    assert ScoringSettings(methods=["trackstar", "ekfac"], damping=1e-6).damping == 1e-6


@pytest.mark.parametrize("length", [1, 100, 4096])
def test_a_batch_may_be_as_long_as_the_budget(length: int) -> None:
    settings = GradientSettings(max_tokens=length, token_batch=length)
    assert settings.max_tokens == settings.token_batch == length


@pytest.mark.parametrize("method", METHODS)
def test_every_method_may_be_the_default(method: Method) -> None:
    assert ScoringSettings(methods=[method], default_method=method).default_method == method


def test_a_method_is_of_the_store_a_baseline_or_ekfac() -> None:
    assert get_args(Method) == METHODS
    assert [method for method in METHODS if method not in (*GRADIENT_METHODS, *BASELINES)] == ["ekfac"]
    assert not set(GRADIENT_METHODS) & set(BASELINES)
