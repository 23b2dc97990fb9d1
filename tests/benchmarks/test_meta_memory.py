"""The environment of the 7B study fits a card of 80 GB, and what does not fit is seen not to."""

from __future__ import annotations

from typing import Any

import pytest

import meta_memory
from social_provenance.device_memory import RESERVE


def test_a_linear_measure_is_extrapolated_to_all_layers() -> None:
    assert meta_memory.extrapolate(lambda layers: {"walk": 5 + 3 * layers}, [4, 8]) == {"walk": 5 + 3 * 32}


def test_settings_that_take_other_memory_are_followed_apart() -> None:
    gradients, unlearning = meta_memory.settings_of()["olmo3"]
    assert unlearning is not None
    same = meta_memory.that_take_memory(
        gradients.model_copy(update={"ranks_per_shard": 7, "precision": "tf32"}),
        unlearning.model_copy(update={"steps": 7, "random_sets": 2, "read_sample": 5}),
    )
    assert same == meta_memory.that_take_memory(gradients, unlearning)
    for more in ({"token_batch": 8192}, {"precision": "bf16"}, {"attention": "eager"}):
        assert meta_memory.that_take_memory(gradients.model_copy(update=more), unlearning) != same
    for more in (
        {"tokens_at_once": 4096},
        {"lora": None, "precision": "fp32"},
        {"checkpointing": False},
        {"read_documents": 64},
    ):
        assert meta_memory.that_take_memory(gradients, unlearning.model_copy(update=more)) != same


def test_the_study_on_one_gpu_is_the_other_one_with_other_sizes() -> None:
    large, small = (flat(meta_memory.read_parameters(name)) for name in meta_memory.ENVIRONMENTS)
    assert {name for name in large if large[name] != small[name]} == {
        *("labelling.processes", "plan.processes", "attribution.tokenizer_processes"),
        *("working_set.per_bin", "working_set.min_documents", "evaluation.limit", "tail_patch.items"),
        *("gradients.precision", "gradients.ranks_per_shard"),
        *(f"unlearning.{name}" for name in ("topics", "order_seeds", "random_sets", "global_sets")),
        *(f"unlearning.{name}" for name in ("forget_documents", "retain_per_topic", "held_out.per_bin")),
        *(f"unlearning.{name}" for name in ("steps", "read_every", "read_sample")),
    }


def flat(block: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the dotted name and the value of each parameter."""
    values: dict[str, Any] = {}
    for key, value in block.items():
        values |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return values


@pytest.mark.slow
def test_the_7b_study_fits_80_gigabytes_and_would_not_otherwise() -> None:
    layers = [2, 4]  # 4 and 8 give the same to 1%, and take twice the time
    found = {
        name: meta_memory.extrapolate(
            lambda count, own=own: meta_memory.peaks(meta_memory.Olmo3(f"olmo3-{count}", None, count), *own), layers
        )
        for name, own in meta_memory.settings_of().items()
        if name in (*meta_memory.ENVIRONMENTS, "walk, fp32, 8,192 tokens")
    }
    for name in meta_memory.ENVIRONMENTS:
        assert set(found[name]) == {"walk", "read", "step.ngdiff"}
        assert all(peak + RESERVE < meta_memory.CARD for peak in found[name].values())
    weights = 4 * 7.298e9
    assert weights < found["olmo3"]["walk"]
    assert found["walk, fp32, 8,192 tokens"]["walk"] + RESERVE > meta_memory.CARD
