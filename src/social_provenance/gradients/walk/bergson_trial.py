"""What a walk will take, before it begins: memory of a device, from shapes, and seconds, by a trial."""

from __future__ import annotations

import functools
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from social_provenance.device_memory import GIGABYTE, RESERVE, counted, empty_model, found, place, trial
from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed
from social_provenance.gradients.walk.bergson_adam import adam_normalizers
from social_provenance.gradients.walk.bergson_run import (
    import_bergson,
    index_config,
    load_frozen,
    matmul_precision,
    quiet,
)
from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets import Dataset

    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.language_model import LanguageModel

logger = logging.getLogger(__name__)

TRIAL_TOKENS = 4096
TRIAL_ROWS = 16


@functools.lru_cache(maxsize=64)
def walk_memory(model: LanguageModel, settings: GradientSettings) -> int:
    """Return the bytes of a device that a full batch of the walk takes at its peak, the model among them.

    Bergson's hooks run on tensors without content (:mod:`social_provenance.device_memory`).

    Args:
        model: The model, of which the configuration alone is read.
        settings: Settings of the gradients; a batch has ``token_batch`` tokens, in sequences of ``max_tokens``.
    """
    import_bergson()
    import torch
    from bergson.collector.collector import fwd_bwd_factory
    from bergson.collector.gradient_collectors import StreamingGradientCollector
    from bergson.moe import expand_moe
    from bergson.utils.worker_utils import processor_for

    config = index_config(model, settings, Path(), Distributed())
    tokens = min(settings.max_tokens, config.token_batch_size)
    shape = (max(1, config.token_batch_size // tokens), tokens)
    asked = {} if settings.attention == "auto" else {"attn_implementation": settings.attention}
    empty = empty_model(model.config(), settings.precision, **asked)
    with quiet(), counted() as tally:
        if settings.moe_experts:
            expand_moe(empty, settings.moe_experts)
        empty.requires_grad_(False)
        empty.get_input_embeddings().requires_grad_(True)
        place(empty)
        adam = settings.normalizer == "adam"
        moments = {name: torch.empty(weight.shape) for name, weight in empty.named_parameters()} if adam else {}
        collector = StreamingGradientCollector(
            model=empty.base_model,
            processor=processor_for(config, adam_normalizers(empty, moments, None)),
            dtype=torch.float32,
        )
        ids = torch.zeros(shape, dtype=torch.long)
        with collector.with_batch(torch.ones(shape, dtype=torch.bool)):
            fwd_bwd_factory(config)(empty, ids, ids, {})
        return tally.peak


def refuse_large(model: LanguageModel, settings: GradientSettings, room: int | None) -> None:
    """Refuse a batch of the walk that a device cannot hold.

    Args:
        model: The model.
        settings: Settings of the gradients.
        room: Bytes of the device; None: unknown, nothing is refused.

    Raises:
        AttributionError: With the bytes that it takes and the settings that take less.
    """
    if room is None:
        return
    needed = found(lambda: walk_memory(model, settings), "a batch of the walk")
    if needed is None or needed + RESERVE <= room:
        return
    batch = min(settings.token_batch, max_tokens(model.config()))
    fits = _largest_batch(model, settings, batch, room)
    shorter = f" with gradients.max_tokens={fits}" if fits < settings.max_tokens else ""
    cures = [f"gradients.token_batch={fits}{shorter}"] if fits else ["attribution.distributed.fsdp=true"]
    if settings.precision != "bf16":
        cures.append("gradients.precision=bf16, which takes about half")
    raise AttributionError(
        f"a batch of {batch} tokens (gradients.token_batch) in {settings.precision} takes "
        f"{needed / GIGABYTE:.1f} GB and {RESERVE / GIGABYTE:.0f} GB are left to CUDA, but the GPU has "
        f"{room / GIGABYTE:.1f} GB: give {' or '.join(cures)}"
    )


def seconds_per_token(model: LanguageModel, settings: GradientSettings, rows: Dataset, processes: int) -> float | None:
    """Return the seconds per token of a walk by several processes, from passes over a few rows in one.

    The model is held as the walk holds it: only its embeddings have gradients. On a GPU the trial has a process of its
    own, whose memory is free again when the walk begins.

    Args:
        model: The model.
        settings: Settings of the gradients.
        rows: Token sequences.
        processes: Processes of the walk.

    Returns:
        None if the device has too little memory for a row.
    """
    step = max(1, len(rows) // TRIAL_ROWS)
    tried: list[list[int]] = [rows[place]["input_ids"] for place in (0, *range(0, len(rows), step))]
    spent = trial(_walk_rows, model, settings, tried)
    if spent is None:
        longest = min(settings.max_tokens, max_tokens(model.config()), max(map(len, tried)))
        logger.warning("the time of the walk is unknown: a row of %d tokens does not fit the device alone", longest)
        return None
    return spent / processes


def _walk_rows(model: LanguageModel, settings: GradientSettings, rows: Sequence[Sequence[int]]) -> float:
    """Return the seconds per token of passes over rows; the first one warms up."""
    import torch

    import_bergson()
    config = index_config(model, settings, Path(), Distributed())
    limit = min(settings.max_tokens, max_tokens(model.config()))
    with quiet():
        loaded, _ = load_frozen(config)
    spent, tokens = 0.0, 0
    for number, row in enumerate(rows):
        ids = torch.tensor([list(row)[:limit]], device=loaded.device)
        start = time.perf_counter()
        with matmul_precision(config):
            loaded(input_ids=ids, labels=ids).loss.backward()
        loaded.zero_grad()
        if loaded.device.type == "cuda":
            torch.cuda.synchronize()
        if number == 0:
            continue
        spent += time.perf_counter() - start
        tokens += ids.shape[1]
        if tokens > TRIAL_TOKENS:
            break
    return spent / tokens


def _largest_batch(model: LanguageModel, settings: GradientSettings, batch: int, room: int) -> int:
    """Return the largest power of two of tokens, below those of a batch, that fits; 0 if not even a token does."""
    size = 1 << (batch - 1).bit_length()
    while size > 1:
        size //= 2
        smaller = settings.model_copy(update={"token_batch": size, "max_tokens": min(size, settings.max_tokens)})
        if walk_memory(model, smaller) + RESERVE <= room:
            return size
    return 0
