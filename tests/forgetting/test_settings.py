"""Unlearning settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from social_provenance.forgetting.settings import Lora, Unlearning

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "field", "value", "said"),
    [
        (Unlearning, "forget_documents", -1, "greater than 0"),
        (Unlearning, "retain_per_topic", 0, "greater than 0"),
        (Unlearning, "neighbours", 0, "greater than 0"),
        (Unlearning, "steps", -5, "greater than 0"),
        (Unlearning, "batch_documents", 0, "greater than 0"),
        (Unlearning, "seeds", [], "at least 1 item"),
        (Unlearning, "seeds", [0, 1, 0], "seeds [0, 1, 0] repeat"),
        (Unlearning, "algorithm", "ngdif", "Input should be 'ngdiff'"),
        (Unlearning, "step", 3, "Extra inputs are not permitted"),
        (Lora, "rank", -8, "greater than 0"),
        (Lora, "alpha", 0, "greater than 0"),
        (Lora, "dropout", 1.0, "less than 1"),
        (Lora, "target", ["q_proj"], "Extra inputs are not permitted"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(
    model: type[BaseModel], field: str, value: Any, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


def test_a_bad_value_deep_inside_is_named_with_its_path() -> None:
    with pytest.raises(ValidationError, match=r"optimiser\.learning_rate\s+Input should be greater than 0"):
        Unlearning.model_validate({"optimiser": {"learning_rate": -1e-3}})


@pytest.mark.parametrize("settings", [Unlearning(), Lora()])
def test_settings_cannot_be_changed_afterwards(settings: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(type(settings).model_fields)), None)
