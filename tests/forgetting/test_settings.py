"""Unlearning settings refuse what has no meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from social_provenance.forgetting.settings import HeldOut, Lora, Matching, Unlearning

if TYPE_CHECKING:
    from pydantic import BaseModel


@pytest.mark.parametrize(
    ("model", "field", "value", "said"),
    [
        (Unlearning, "topics", 0, "greater than 0"),
        (Unlearning, "random_sets", 0, "greater than 0"),
        (Unlearning, "global_sets", -1, "greater than or equal to 0"),
        (Unlearning, "forget_documents", 1, "greater than or equal to 2"),
        (Unlearning, "retain_per_topic", 0, "greater than 0"),
        (Unlearning, "steps", -5, "greater than 0"),
        (Unlearning, "read_every", 0, "greater than 0"),
        (Unlearning, "read_every", 5, "steps (12) must be a multiple of read_every (5)"),
        (Unlearning, "batch_documents", 0, "greater than 0"),
        (Unlearning, "read_documents", 0, "greater than 0"),
        (Unlearning, "max_held_out_rise", 0, "greater than 0"),
        (Unlearning, "processes", 0, "greater than 0"),
        (Unlearning, "order_seeds", [], "at least 1 item"),
        (Unlearning, "order_seeds", [0, 1, 0], "order_seeds [0, 1, 0] must be unique"),
        (Unlearning, "algorithms", [], "at least 1 item"),
        (
            Unlearning,
            "algorithms",
            [{"name": "npo"}, {"name": "npo", "beta": 0.2}],
            "algorithms ['npo', 'npo'] must",
        ),
        (Unlearning, "algorithms", [{"name": "ngdif"}], "'ngdif' found using 'name' does not match"),
        (Unlearning, "algorithms", [{"name": "ngdiff", "betta": 1}], "Extra inputs are not permitted"),
        (Unlearning, "step", 3, "Extra inputs are not permitted"),
        (Matching, "neighbours", 0, "greater than 0"),
        (Matching, "tolerance", 0, "greater than 0"),
        (Matching, "token_tolerance", -0.1, "greater than 0"),
        (HeldOut, "per_bin", 0, "greater than 0"),
        (HeldOut, "max_tokens", 0, "greater than 0"),
        (Lora, "rank", -8, "greater than 0"),
        (Lora, "alpha", 0, "greater than 0"),
        (Lora, "dropout", 1.0, "less than 1"),
        (Lora, "targets", [], "at least 1 item"),
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


@pytest.mark.parametrize("settings", [Unlearning(), Lora(), Matching(), HeldOut()])
def test_settings_cannot_be_changed_afterwards(settings: BaseModel) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(type(settings).model_fields)), None)


@pytest.mark.parametrize(("steps", "every", "grid"), [(12, 4, [4, 8, 12]), (4, 4, [4]), (3, 1, [1, 2, 3])])
def test_the_last_reading_is_at_the_last_step(steps: int, every: int, grid: list[int]) -> None:
    assert list(Unlearning(steps=steps, read_every=every).grid) == grid
