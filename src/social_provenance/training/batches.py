"""Padded batches of documents and their losses."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.training.loop import token_losses

if TYPE_CHECKING:
    import torch

Tokens = Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Padded documents.

    Attributes:
        input_ids: Token ids, shape (documents, tokens), 0 on padding.
        labels: The same with -100 on padding.
        attention_mask: 1 on tokens, 0 on padding, shape (documents, tokens).
        rows: Index of each document in the set that the batch was drawn from.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    attention_mask: torch.Tensor
    rows: tuple[int, ...]


def pad(documents: Sequence[Tokens], device: Any = "cpu") -> Batch:
    """Return all documents of a set as a batch, padded to the longest."""
    return take(documents, range(len(documents)), device)


def take(documents: Sequence[Tokens], rows: Sequence[int], device: Any = "cpu") -> Batch:
    """Return the documents of a set at the indices ``rows`` as a batch, padded to the longest."""
    import torch

    width = max(len(documents[row]) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for index, row in enumerate(rows):
        document = documents[row]
        ids[index, : len(document)] = torch.tensor(list(document))
        mask[index, : len(document)] = 1
    return Batch(ids.to(device), ids.masked_fill(mask == 0, -100).to(device), mask.to(device), tuple(rows))


def logits_of(model: Any, batch: Batch) -> torch.Tensor:
    """Return the logits of a batch, shape (documents, tokens, vocabulary)."""
    logits: torch.Tensor = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    return logits


def mean_loss(model: Any, batch: Batch) -> torch.Tensor:
    """Return the mean loss of a batch, nats per token."""
    losses, counted = token_losses(logits_of(model, batch), batch.labels)
    return losses.sum() / counted.sum()


def document_losses(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss (nats) and the number of predicted tokens of each document, both of shape (documents,)."""
    losses, counted = token_losses(logits_of(model, batch), batch.labels)
    return losses.sum(dim=1), counted.sum(dim=1)


def read_losses(model: Any, documents: Sequence[Tokens], size: int) -> np.ndarray:
    """Return the loss (nats) and the number of predicted tokens of each document, without gradients.

    Args:
        model: Model; left in evaluation mode.
        documents: Token ids of each document.
        size: Batch size; fixed in a study, because it changes the last digits of a loss.

    Returns:
        Array of shape (documents, 2).
    """
    import torch

    model.eval()
    parts = [np.empty((0, 2))]
    with torch.no_grad():
        for start in range(0, len(documents), size):
            losses, counts = document_losses(model, pad(documents[start : start + size], model.device))
            parts.append(torch.stack([losses.double(), counts.double()], dim=1).cpu().numpy())
    return np.concatenate(parts)


def pairs(
    forget: Sequence[Tokens], retain: Sequence[Tokens], size: int, steps: int, seed: int, device: Any = "cpu"
) -> Iterator[tuple[Batch, Batch]]:
    """Yield ``steps`` pairs of a forget and a retain batch, each set in seeded, repeated passes."""
    forget_deck = _deal(len(forget), random.Random(f"forget {seed}"))
    retain_deck = _deal(len(retain), random.Random(f"retain {seed}"))
    for _ in range(steps):
        yield (
            take(forget, [next(forget_deck) for _ in range(size)], device),
            take(retain, [next(retain_deck) for _ in range(size)], device),
        )


def _deal(count: int, rng: random.Random) -> Iterator[int]:
    """Yield the indices 0 to ``count`` - 1 forever, in a new order each pass."""
    while True:
        yield from rng.sample(range(count), count)
