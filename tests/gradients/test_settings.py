"""Gradient settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from social_provenance.gradients.settings import GradientSettings

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        (GradientSettings, {"max_tokens": 4097}, "max_tokens 4097 is above token_batch 4096: raise token_batch"),
        (GradientSettings, {"token_batch": 4095}, "max_tokens 4096 is above token_batch 4095: raise token_batch"),
    ],
)
def test_a_contradiction_is_refused_with_what_contradicts(
    model: type[BaseModel], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    assert said in str(caught.value)


@pytest.mark.parametrize("length", [1, 100, 4096])
def test_a_batch_may_be_as_long_as_the_budget(length: int) -> None:
    settings = GradientSettings(max_tokens=length, token_batch=length)
    assert settings.max_tokens == settings.token_batch == length
