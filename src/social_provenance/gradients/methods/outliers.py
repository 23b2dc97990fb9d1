"""Outliers among gradient norms, and their winsorisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.device_memory import compute_device

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.walk.store import Chunk, GradientStore

OUTLIER = 10.0
"""Median norms above which a gradient counts as an outlier."""


@dataclass(frozen=True)
class Winsoriser:
    """Shortens the outliers of one store to an upper bound on the norm.

    Attributes:
        median: Median norm of the store.
        outliers: Number of rows longer than ten median norms.
        limit: Upper bound on the norm; None: nothing is shortened.
    """

    median: float
    outliers: int
    limit: float | None

    def factors(self, norms: np.ndarray) -> np.ndarray:
        """Return the factor of each gradient, from 0 to 1."""
        if self.limit is None:
            return np.ones(len(norms))
        return np.asarray(np.minimum(1.0, self.limit / np.maximum(norms.astype(np.float64), np.finfo(np.float32).tiny)))

    def apply(self, piece: Chunk) -> torch.Tensor:
        """Return the gradients of a chunk on the device of comparisons, outliers shortened, rows x dimensions."""
        import torch

        device = compute_device()
        gradients = torch.from_numpy(piece.gradients).to(device)
        factors = self.factors(piece.rows["norm"].to_numpy())
        if not (factors < 1).any():
            return gradients
        return gradients * torch.from_numpy(factors.astype(np.float32)).to(device)[:, None]


def fit_winsoriser(store: GradientStore, winsorise: float | None) -> Winsoriser:
    """Return a winsoriser that is fitted to the norms of a store.

    Args:
        store: Gradients with their norms.
        winsorise: Upper bound on the norm, in median norms; None: outliers are only counted.
    """
    norms = store.column("norm")
    median = float(np.median(norms))
    limit = None if winsorise is None or median == 0 else winsorise * median
    return Winsoriser(median, int((norms > OUTLIER * median).sum()), limit)
