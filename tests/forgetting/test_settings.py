"""Unlearning settings refuse what has no meaning."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from social_provenance.forgetting.settings import Unlearning


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("read_every", 5, "steps (12) must be a multiple of read_every (5)"),
        ("order_seeds", [0, 1, 0], "order_seeds [0, 1, 0] must be unique"),
        ("algorithms", [{"name": "npo"}, {"name": "npo", "beta": 0.2}], "algorithms ['npo', 'npo'] must be unique"),
        ("precision", "bf16", "precision bf16 needs adapters (lora)"),
        ("algorithms", [{"name": "ngdif"}], "'ngdif' found using 'name' does not match"),
        ("algorithms", [{"name": "ngdiff", "betta": 1}], "Extra inputs are not permitted"),
    ],
)
def test_a_contradiction_is_refused_with_what_contradicts(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Unlearning.model_validate({field: value})
    assert said in str(caught.value)


def test_a_bad_value_deep_inside_is_named_with_its_path() -> None:
    with pytest.raises(ValidationError, match=r"optimiser\.learning_rate\s+Input should be greater than 0"):
        Unlearning.model_validate({"optimiser": {"learning_rate": -1e-3}})


@pytest.mark.parametrize(("steps", "every", "grid"), [(12, 4, [4, 8, 12]), (4, 4, [4]), (3, 1, [1, 2, 3])])
def test_the_last_reading_is_at_the_last_step(steps: int, every: int, grid: list[int]) -> None:
    assert list(Unlearning(steps=steps, read_every=every).grid) == grid
