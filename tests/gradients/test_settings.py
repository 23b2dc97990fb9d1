"""Gradient settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from social_provenance.gradients.settings import Distributed, GradientSettings

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
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(
    model: type[BaseModel], field: str, value: Any, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("length", [1, 100, 4096])
def test_a_batch_may_be_as_long_as_the_budget(length: int) -> None:
    settings = GradientSettings(max_tokens=length, token_batch=length)
    assert settings.max_tokens == settings.token_batch == length


@pytest.mark.parametrize("settings", [GradientSettings(), Distributed()])
def test_settings_cannot_be_changed_afterwards(settings: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(type(settings).model_fields)), None)
