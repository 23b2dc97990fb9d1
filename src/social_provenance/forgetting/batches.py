"""Batches of documents for unlearning."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.pretraining.loop import token_losses

if TYPE_CHECKING:
    import torch

Tokens = Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Padded documents.

    Attributes:
        input_ids: Documents x tokens.
        labels: The same, -100 on padding.
        attention_mask: 1 on tokens, 0 on padding.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    attention_mask: torch.Tensor


def pad(documents: Sequence[Tokens], device: Any = "cpu") -> Batch:
    """Pad documents to the longest of them."""
    import torch

    width = max(len(document) for document in documents)
    ids = torch.zeros(len(documents), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, document in enumerate(documents):
        ids[row, : len(document)] = torch.tensor(list(document))
        mask[row, : len(document)] = 1
    return Batch(ids.to(device), ids.masked_fill(mask == 0, -100).to(device), mask.to(device))


def mean_loss(model: Any, batch: Batch) -> torch.Tensor:
    """Return the mean loss of a batch, nats a token."""
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    losses, counted = token_losses(logits, batch.labels)
    return losses.sum() / counted.sum()


def corpus_loss(model: Any, documents: Sequence[Tokens], size: int) -> float:
    """Return the mean loss of documents, nats a token, without training; ``size`` documents at a time."""
    import torch

    total = count = 0.0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(documents), size):
            batch = pad(documents[start : start + size], model.device)
            logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
            losses, counted = token_losses(logits, batch.labels)
            total += float(losses.sum())
            count += float(counted.sum())
    return total / count


def pairs(
    forget: Sequence[Tokens], retain: Sequence[Tokens], size: int, steps: int, seed: int, device: Any = "cpu"
) -> Iterator[tuple[Batch, Batch]]:
    """Yield ``steps`` pairs of a forget and a retain batch, each set in seeded, repeated passes."""
    forget_deck = _deal(forget, random.Random(f"forget {seed}"))
    retain_deck = _deal(retain, random.Random(f"retain {seed}"))
    for _ in range(steps):
        yield (
            pad([next(forget_deck) for _ in range(size)], device),
            pad([next(retain_deck) for _ in range(size)], device),
        )


def _deal(documents: Sequence[Tokens], rng: random.Random) -> Iterator[Tokens]:
    while True:
        yield from rng.sample(list(documents), len(documents))
