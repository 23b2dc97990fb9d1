"""Gradient settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import ValidationError

from social_provenance.gradients.settings import (
    BASELINES,
    GRADIENT_METHODS,
    METHODS,
    Distributed,
    GradientSettings,
    Method,
    ScoringSettings,
)

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "field", "value", "said"),
    [
        (GradientSettings, "projection_dim", -16, "greater than 0"),
        (GradientSettings, "projection_type", "gauss", "Input should be 'rademacher' or 'normal'"),
        (GradientSettings, "loss_reduction", "max", "Input should be 'sum' or 'mean'"),
        (GradientSettings, "max_tokens", 0, "greater than 0"),
        (GradientSettings, "max_tokens", 4097, "max_tokens 4097 is above token_batch 4096: raise token_batch"),
        (GradientSettings, "token_batch", -1, "greater than 0"),
        (GradientSettings, "token_batch", 4095, "max_tokens 4096 is above token_batch 4095: raise token_batch"),
        (GradientSettings, "store", "bf16", "Input should be 'fp32' or 'fp16'"),
        (GradientSettings, "ranks_per_shard", 0, "greater than 0"),
        (GradientSettings, "moe_experts", None, "valid string"),
        (GradientSettings, "projection", 16, "Extra inputs are not permitted"),
        (GradientSettings, "documents_per_part", 16, "Extra inputs are not permitted"),
        (Distributed, "nnode", 0, "greater than 0"),
        (Distributed, "nproc_per_node", 0, "greater than 0"),
        (Distributed, "fsdp", "perhaps", "valid boolean"),
        (Distributed, "node_rank", 0, "Extra inputs are not permitted"),
        (ScoringSettings, "methods", [], "at least 1 item"),
        (ScoringSettings, "methods", ["cosine"], "Input should be 'trackstar', 'influence', 'gradient_cosine'"),
        (ScoringSettings, "methods", ["influence"], "default_method 'trackstar' is not among methods ['influence']"),
        (ScoringSettings, "default_method", "bm25", "default_method 'bm25' is not among methods"),
        (ScoringSettings, "damping", -0.1, "greater than or equal to 0"),
        (ScoringSettings, "target_component", 0, "greater than 0"),
        (ScoringSettings, "winsorise", 0, "greater than 0"),
        (ScoringSettings, "max_joint", 0, "greater than 0"),
        (ScoringSettings, "chunk", -1, "greater than 0"),
        (ScoringSettings, "chunks", 8, "Extra inputs are not permitted"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(
    model: type[BaseModel], field: str, value: Any, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({field: value})
    assert field in str(caught.value)
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


def test_outliers_may_be_left_as_they_are() -> None:
    assert ScoringSettings(winsorise=None).winsorise is None


@pytest.mark.parametrize("method", METHODS)
def test_every_method_may_be_the_default(method: Method) -> None:
    assert ScoringSettings(methods=[method], default_method=method).default_method == method


def test_a_method_is_of_the_store_a_baseline_or_ekfac() -> None:
    assert get_args(Method) == METHODS
    assert [method for method in METHODS if method not in (*GRADIENT_METHODS, *BASELINES)] == ["ekfac"]
    assert not set(GRADIENT_METHODS) & set(BASELINES)


@pytest.mark.parametrize("settings", [GradientSettings(), Distributed(), ScoringSettings()])
def test_settings_cannot_be_changed_afterwards(settings: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(type(settings).model_fields)), None)
