"""Gradients that are far longer than the others, and what is done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.walk.store import Chunk, GradientStore

OUTLIER = 10.0
"""Median norms above which a gradient counts as an outlier."""


@dataclass(frozen=True)
class Winsoriser:
    """Shortens outliers of one store to a norm that is the rule there.

    Attributes:
        median: Of the store's norms.
        outliers: Rows longer than ten median norms.
        limit: Longest norm that is left; None: all are left as they are.
    """

    median: float
    outliers: int
    limit: float | None

    def factors(self, norms: np.ndarray) -> np.ndarray:
        """Return what each gradient is multiplied with, from 0 to 1."""
        if self.limit is None:
            return np.ones(len(norms))
        return np.asarray(np.minimum(1.0, self.limit / np.maximum(norms.astype(np.float64), np.finfo(np.float32).tiny)))

    def apply(self, piece: Chunk) -> torch.Tensor:
        """Return the gradients of a piece, outliers shortened, rows x numbers."""
        import torch

        gradients = torch.from_numpy(piece.gradients)
        factors = self.factors(piece.rows["norm"].to_numpy())
        return gradients * torch.from_numpy(factors).float()[:, None] if (factors < 1).any() else gradients


def fit_winsoriser(store: GradientStore, winsorise: float | None) -> Winsoriser:
    """Return the winsoriser of a store.

    Args:
        store: Gradients with their norms.
        winsorise: Longest norm that is left, in median norms; None: only count.
    """
    norms = store.column("norm")
    median = float(np.median(norms))
    limit = None if winsorise is None or median == 0 else winsorise * median
    return Winsoriser(median, int((norms > OUTLIER * median).sum()), limit)
