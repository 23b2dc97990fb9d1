"""Peak memory of an unlearning run on a device, found from shapes before it starts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import GIGABYTE, RESERVE, counted, empty_model, found, place
from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.base import bounded
from social_provenance.forgetting.runs.trainable import trainable
from social_provenance.training.batches import document_losses, group, take
from social_provenance.training.loop import train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from social_provenance.forgetting.objectives.base import Objective
    from social_provenance.forgetting.settings import Unlearning


def run_memory(config: Any, settings: Unlearning, tokens: int) -> dict[str, int]:
    """Return the bytes of a device at the peak of each stage of a run, the model among them.

    Args:
        config: The model's transformers configuration.
        settings: Parameters of the study.
        tokens: Tokens of the longest documents.

    Returns:
        ``step.<algorithm>``, an optimiser step on the longest documents, and ``read``, the reading of their losses.
        What cannot be followed by shapes alone is left out, with a warning.
    """
    length = min(tokens, settings.max_tokens or tokens)
    documents = [[1] * length] * max(settings.batch_documents, settings.read_documents)
    peaks = {"read": found(partial(_read, config, settings, documents), "the readings of unlearning")}
    for algorithm in settings.algorithms:
        step = partial(_step, config, settings, algorithm, documents[: settings.batch_documents])
        peaks[f"step.{algorithm.name}"] = found(step, f"a step of {algorithm.name}")
    return {stage: peak for stage, peak in peaks.items() if peak is not None}


def refuse_large(config: Any, settings: Unlearning, tokens: int, room: int | None) -> None:
    """Refuse runs that a device cannot hold.

    Args:
        config: The model's transformers configuration.
        settings: Parameters of the study.
        tokens: Tokens of the longest documents.
        room: Bytes of the device; None: unknown, nothing is refused.

    Raises:
        UnlearningError: With the stage, the bytes that it takes, and the settings that take less.
    """
    if room is not None:
        refuse_peaks(run_memory(config, settings, tokens), settings, tokens, room)


def refuse_peaks(peaks: Mapping[str, int], settings: Unlearning, tokens: int, room: int) -> None:
    """Do the same with the peaks that :func:`run_memory` found."""
    stage = max(peaks, key=lambda name: peaks[name], default=None)
    if stage is None or peaks[stage] + RESERVE <= room:
        return
    cures = [
        "unlearning.tokens_at_once" if settings.tokens_at_once is None else "a smaller unlearning.tokens_at_once",
        *(["a smaller unlearning.read_documents"] if stage == "read" else []),
        *(["unlearning.checkpointing=true"] if not settings.checkpointing and stage != "read" else []),
        *(["unlearning.lora"] if settings.lora is None and stage != "read" else []),
        *(["unlearning.precision=bf16"] if settings.precision == "fp32" else []),
        "a smaller unlearning.max_tokens",
    ]
    raise UnlearningError(
        f"an unlearning run takes {peaks[stage] / GIGABYTE:.1f} GB ({stage}, documents of {tokens} tokens) and "
        f"{RESERVE / GIGABYTE:.0f} GB are left to CUDA, but the GPU has {room / GIGABYTE:.1f} GB: give "
        f"{', '.join(cures[:-1])} or {cures[-1]}"
    )


def _step(config: Any, settings: Unlearning, algorithm: Objective, documents: Sequence[Sequence[int]]) -> int:
    # The third part of a batch takes what the second takes.
    parts = group([len(document) for document in documents], settings.batch_documents, settings.tokens_at_once)
    size = sum(map(len, parts[:2]))
    empty = empty_model(config, settings.precision)
    with trainable(empty, settings.lora, checkpointing=settings.checkpointing) as model, counted() as tally:
        place(model)
        step = bounded(algorithm.prepare(model, documents, documents, size), settings.tokens_at_once)
        batches = [take(documents, range(size))] * 2  # in the second step the optimiser has its moments
        train(model, batches, lambda one: step(one, one), settings.optimiser, lambda _: 1.0, lambda *_: True)
        return tally.peak


def _read(config: Any, settings: Unlearning, documents: Sequence[Sequence[int]]) -> int:
    import torch

    rows = group([len(document) for document in documents], settings.read_documents, settings.tokens_at_once)[0]
    empty = empty_model(config, settings.precision).eval()
    with counted() as tally, torch.no_grad():
        document_losses(place(empty), take(documents, rows))
        return tally.peak
