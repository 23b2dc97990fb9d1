"""A walk that a device cannot hold is refused before it begins, by the memory that it would really take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from social_provenance.device_memory import RESERVE
from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk import bergson_run, bergson_trial
from social_provenance.gradients.walk.bergson_run import Walker
from social_provenance.gradients.walk.bergson_trial import refuse_large, seconds_per_token, walk_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.language_model import LanguageModel

SETTINGS = GradientSettings(projection_dim=4, max_tokens=64, token_batch=256)


@pytest.fixture
def full_batch() -> Dataset:
    """Return the documents of one batch of ``SETTINGS``."""
    from datasets import Dataset

    rows = SETTINGS.token_batch // SETTINGS.max_tokens
    ids = [[1 + row] * SETTINGS.max_tokens for row in range(rows)]
    columns = {"doc_id": [f"{row}" for row in range(rows)], "input_ids": ids, "length": [SETTINGS.max_tokens] * rows}
    return Dataset.from_dict(columns)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_memory_found_from_shapes_is_that_of_the_walk(
    model: LanguageModel, full_batch: Dataset, tmp_path: Path, most_at_once: Callable[[Any], int], precision: str
) -> None:
    settings = SETTINGS.model_copy(update={"precision": precision})
    walker = Walker(model, settings, Distributed())
    (tmp_path / "first").mkdir()
    walker.collect(full_batch, tmp_path / "first")
    weights = sum(weight.numel() * weight.element_size() for weight in walker._loaded[0].parameters())
    (tmp_path / "second").mkdir()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        walker.collect(full_batch, tmp_path / "second")
    assert walk_memory(model, settings) == pytest.approx(weights + most_at_once(profiled), rel=0.05)


def test_it_grows_with_the_tokens_and_with_their_square_where_attention_is_eager(model: LanguageModel) -> None:
    def at(tokens: int, attention: str) -> int:
        update = {"max_tokens": tokens, "token_batch": tokens, "attention": attention}
        return walk_memory(model, SETTINGS.model_copy(update=update))

    fused, eager = ([at(tokens, kind) for tokens in (64, 128, 256)] for kind in ("sdpa", "eager"))
    assert fused[2] - fused[1] == pytest.approx(2 * (fused[1] - fused[0]), rel=0.2)
    assert eager[2] - eager[1] > 2.2 * (eager[1] - eager[0])
    assert eager[2] > fused[2]


def test_a_batch_that_does_not_fit_is_refused_with_one_that_does(model: LanguageModel) -> None:
    needed = walk_memory(model, SETTINGS)
    refuse_large(model, SETTINGS, None)
    refuse_large(model, SETTINGS, needed + RESERVE)
    with pytest.raises(AttributionError, match=r"give gradients\.token_batch=128 or gradients\.precision=bf16"):
        refuse_large(model, SETTINGS, needed + RESERVE - 1)
    smaller = SETTINGS.model_copy(update={"token_batch": 128})
    refuse_large(model, smaller, needed + RESERVE - 1)
    short = walk_memory(model, SETTINGS.model_copy(update={"token_batch": 16, "max_tokens": 16}))
    with pytest.raises(AttributionError, match=r"give gradients\.token_batch=16 with gradients\.max_tokens=16 or"):
        refuse_large(model, SETTINGS, short + RESERVE)
    with pytest.raises(AttributionError, match=r"give attribution\.distributed\.fsdp=true or"):
        refuse_large(model, SETTINGS, RESERVE + 1)


def test_the_pace_is_that_of_the_walk_and_leaves_no_gradients(
    model: LanguageModel, full_batch: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []

    def load(config: Any) -> tuple[Any, Any]:
        loaded.append(bergson_run.load_frozen(config)[0])
        return loaded[-1], None

    monkeypatch.setattr(bergson_trial, "load_frozen", load)
    one, two = (seconds_per_token(model, SETTINGS, full_batch, processes) for processes in (1, 2))
    assert one is not None
    assert two is not None
    assert 0 < two < one * 5
    trained = [name for name, weight in loaded[0].named_parameters() if weight.requires_grad]
    assert trained == ["model.embed_tokens.weight"]
    assert all(weight.grad is None for weight in loaded[0].parameters())


def test_a_trial_without_memory_leaves_the_time_unknown(
    model: LanguageModel, full_batch: Dataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load(config: Any) -> tuple[Any, Any]:
        del config
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(bergson_trial, "load_frozen", load)
    assert seconds_per_token(model, SETTINGS, full_batch, 1) is None
    assert "the time of the walk is unknown: a row of" in caplog.text
