"""Gradient settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from social_provenance.gradients.settings import GradientSettings, ScoringSettings

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "field", "value", "said"),
    [
        (GradientSettings, "projection_dim", -16, "greater than 0"),
        (GradientSettings, "projection_type", "gauss", "Input should be 'rademacher' or 'normal'"),
        (GradientSettings, "loss_reduction", "max", "Input should be 'sum' or 'mean'"),
        (GradientSettings, "max_tokens", 0, "greater than 0"),
        (GradientSettings, "token_batch", -1, "greater than 0"),
        (GradientSettings, "documents_per_part", 0, "greater than 0"),
        (GradientSettings, "projection", 16, "Extra inputs are not permitted"),
        (ScoringSettings, "methods", [], "at least 1 item"),
        (ScoringSettings, "methods", ["cosine"], "Input should be 'trackstar' or 'influence'"),
        (ScoringSettings, "methods", ["influence"], "default_method 'trackstar' is not among methods ['influence']"),
        (ScoringSettings, "damping", -0.1, "greater than or equal to 0"),
        (ScoringSettings, "target_component", 0, "greater than 0"),
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


@pytest.mark.parametrize("settings", [GradientSettings(), ScoringSettings()])
def test_settings_cannot_be_changed_afterwards(settings: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(type(settings).model_fields)), None)
