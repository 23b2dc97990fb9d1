"""Padded batches of documents and their losses."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.training.head import token_losses

if TYPE_CHECKING:
    import torch

Tokens = Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Padded documents.

    Attributes:
        input_ids: Token ids, shape (documents, tokens), 0 on padding.
        attention_mask: 1 on tokens, 0 on padding, shape (documents, tokens).
        rows: Index of each document in the set that the batch was drawn from.
        lengths: Tokens of each document.
        tokens_at_once: Upper bound on the tokens of a part, padding included; None: the batch is one part.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    rows: tuple[int, ...]
    lengths: tuple[int, ...]
    tokens_at_once: int | None = None

    @property
    def predicted(self) -> list[int]:
        """Number of predicted tokens of each document: all but its first."""
        return [max(0, length - 1) for length in self.lengths]

    def positions(self, counts: Sequence[int]) -> torch.Tensor:
        """Return the first tokens of every document, so many of each, as indices of the flattened batch."""
        import torch

        width = self.input_ids.shape[1]
        found = [row * width + np.arange(count) for row, count in enumerate(counts)]
        return torch.tensor(np.concatenate(found), device=self.input_ids.device)

    def parts(self) -> list[Batch]:
        """Return batches of the same documents, in their order, none with more tokens than are taken at once.

        A document of more tokens is a part alone.
        """
        groups = group(self.lengths, len(self.rows), self.tokens_at_once)
        return [self] if len(groups) == 1 else [self._part(rows) for rows in groups]

    def _part(self, rows: list[int]) -> Batch:
        lengths = tuple(self.lengths[row] for row in rows)
        width = max(lengths)
        ids, mask = (tensor[rows, :width] for tensor in (self.input_ids, self.attention_mask))
        return Batch(ids, mask, tuple(self.rows[row] for row in rows), lengths)


def group(lengths: Sequence[int], documents: int, tokens: int | None) -> list[list[int]]:
    """Divide documents, in their order, into batches within an upper bound on documents and one on tokens.

    Args:
        lengths: Tokens of each document.
        documents: Upper bound on the documents of a batch.
        tokens: Upper bound on its tokens, padding included; a longer document is a batch alone. None: no bound.
    """
    groups: list[list[int]] = []
    width = 0
    for row, length in enumerate(lengths):
        width = max(width, length)
        full = not groups or len(groups[-1]) == documents
        if full or (tokens is not None and width * (len(groups[-1]) + 1) > tokens):
            groups.append([])
            width = length
        groups[-1].append(row)
    return groups


def pad(documents: Sequence[Tokens], device: Any = "cpu") -> Batch:
    """Return all documents of a set as a batch, padded to the longest."""
    return take(documents, range(len(documents)), device)


def take(documents: Sequence[Tokens], rows: Sequence[int], device: Any = "cpu") -> Batch:
    """Return the documents of a set at the indices ``rows`` as a batch, padded to the longest."""
    import torch

    lengths = tuple(len(documents[row]) for row in rows)
    width = max(lengths)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for index, row in enumerate(rows):
        document = documents[row]
        ids[index, : len(document)] = torch.tensor(list(document))
        mask[index, : len(document)] = 1
    return Batch(ids.to(device), mask.to(device), tuple(rows), lengths)


def mean_loss(model: Any, batch: Batch) -> torch.Tensor:
    """Return the mean loss of a batch, nats per token."""
    return token_losses(model, batch).sum() / sum(batch.predicted)


def document_losses(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss (nats) and the number of predicted tokens of each document, both of shape (documents,)."""
    import torch

    losses = token_losses(model, batch).sum(dim=1)
    return losses, torch.tensor(batch.predicted, device=losses.device)


def read_losses(model: Any, documents: Sequence[Tokens], size: int, tokens: int | None = None) -> np.ndarray:
    """Return the loss (nats) and the number of predicted tokens of each document, without gradients.

    Documents of about the same length share a batch, the longest first, so that little is padding.

    Args:
        model: Model; left in evaluation mode.
        documents: Token ids of each document.
        size: Documents of a batch; fixed in a study, because it changes the last digits of a loss.
        tokens: Upper bound on the tokens of a batch, padding included; None: no bound.

    Returns:
        Array of shape (documents, 2).
    """
    import torch

    model.eval()
    order = sorted(range(len(documents)), key=lambda row: -len(documents[row]))
    read = np.empty((len(documents), 2))
    with torch.no_grad():
        for rows in group([len(documents[row]) for row in order], size, tokens):
            places = [order[row] for row in rows]
            losses, counts = document_losses(model, take(documents, places, model.device))
            read[places] = torch.stack([losses.double(), counts.double()], dim=1).cpu().numpy()
    return read


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
