"""Runs that a device cannot hold are refused before they start, by the memory that they would really take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from social_provenance.device_memory import RESERVE
from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.base import bounded
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.npo import NPO
from social_provenance.forgetting.objectives.rmu import RMU
from social_provenance.forgetting.runs.memory import refuse_large, run_memory
from social_provenance.forgetting.runs.trainable import trainable
from social_provenance.forgetting.settings import Lora, Unlearning
from social_provenance.language_model import LanguageModel
from social_provenance.training.batches import document_losses, take
from social_provenance.training.loop import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKENS = 96
LORA = Lora(rank=4, alpha=8, dropout=0.0)
SETTINGS = Unlearning(batch_documents=4, read_documents=4)


def _weights(model: Any) -> int:
    return sum(weight.numel() * weight.element_size() for weight in model.parameters())


@pytest.mark.parametrize("tokens", [TOKENS // 2, 10**6], ids=["logits in chunks", "logits at once"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"lora": LORA},
        {"lora": LORA, "checkpointing": True, "tokens_at_once": 2 * TOKENS},
        {"lora": LORA, "precision": "bf16"},
        {"algorithms": (NPO(),)},
        {"lora": LORA, "algorithms": (NPO(),)},
        {"lora": LORA, "algorithms": (RMU(),)},
    ],
    ids=["all weights", "adapters", "parts, computed again", "half the bits", "a copy", "divergence", "activations"],
)
def test_the_memory_found_from_shapes_is_that_of_a_step_and_of_a_reading(
    tiny_model_folder: Path,
    most_at_once: Callable[[Any], int],
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    tokens: int,
) -> None:
    for module in ("training.head", "forgetting.objectives.terms"):
        monkeypatch.setattr(f"social_provenance.{module}.chunk_of", lambda *_: tokens)
    bound = 1.2 if tokens < TOKENS else 1.1  # below the logits, one hidden state that is freed sooner shows
    settings = SETTINGS.model_copy(update=given)
    base, documents = LanguageModel(str(tiny_model_folder)).load(settings.precision), [[1] * TOKENS] * 4
    found = run_memory(base.config, settings, TOKENS)
    batch = take(documents, range(4))
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as reading:
        document_losses(base, batch)
    if settings.tokens_at_once is None:
        assert 1 <= found["read"] / (_weights(base) + most_at_once(reading)) < bound
    with trainable(base, settings.lora, checkpointing=settings.checkpointing) as model:
        step = bounded(settings.algorithms[0].prepare(model, documents, documents, 4), settings.tokens_at_once)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as training:
            train(model, [batch] * 2, lambda one: step(one, one), settings.optimiser, lambda _: 1.0, lambda *_: True)
        assert 1 <= found[f"step.{settings.algorithms[0].name}"] / (_weights(model) + most_at_once(training)) < bound


def test_what_takes_less_is_named_and_takes_less(tiny_model_folder: Path) -> None:
    config = LanguageModel(str(tiny_model_folder)).config()
    needed = run_memory(config, SETTINGS, TOKENS)["step.ngdiff"]
    refuse_large(config, SETTINGS, TOKENS, None)
    refuse_large(config, SETTINGS, TOKENS, needed + RESERVE)
    with pytest.raises(UnlearningError) as caught:
        refuse_large(config, SETTINGS, TOKENS, needed + RESERVE - 1)
    said = str(caught.value)
    assert "(step.ngdiff, documents of 96 tokens)" in said
    assert said.endswith(
        "give unlearning.tokens_at_once, unlearning.checkpointing=true, unlearning.lora, unlearning.precision=bf16 or "
        "a smaller unlearning.max_tokens"
    )
    adapted = {"lora": LORA}
    for less in (
        {"tokens_at_once": TOKENS},
        {"checkpointing": True},
        adapted,
        adapted | {"precision": "bf16"},
        {"max_tokens": TOKENS // 2},
    ):
        refuse_large(config, SETTINGS.model_copy(update=less), TOKENS, needed + RESERVE - 1)


def test_logits_in_chunks_take_less(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = LanguageModel(str(tiny_model_folder)).config()
    whole = run_memory(config, SETTINGS, TOKENS)
    monkeypatch.setattr("social_provenance.training.head.chunk_of", lambda *_: 1)
    chunked = run_memory(config, SETTINGS, TOKENS)
    logits = 4 * TOKENS * 4 * config.vocab_size
    assert all(chunked[stage] < whole[stage] - logits / 2 for stage in ("read", "step.ngdiff"))


class Selecting(NGDiff):
    """An algorithm that selects by the content of tensors."""

    def _step(self, model: Any, forget: Any, size: int) -> Any:
        step = super()._step(model, forget, size)
        return lambda one, other: step(one, other) | {"words": float(one.input_ids[one.input_ids > 3].sum())}


def test_an_algorithm_whose_shapes_depend_on_content_is_left_out(
    tiny_model_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = LanguageModel(str(tiny_model_folder)).config()
    found = run_memory(config, SETTINGS.model_copy(update={"algorithms": (Selecting(),)}), TOKENS)
    assert set(found) == {"read"}
    assert "the GPU memory of a step of ngdiff is not known" in caplog.text
