"""Linear mixture datamodel: a linear fit from the shares of regions in the training data to an outcome.

With 1 and 0 for regions that were left out or kept this is a linear datamodel (Ilyas et al. 2022); with shares of
domains it is the linear fit of RegMix (Liu et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

PENALTIES = tuple(10.0 ** np.arange(-6, 4))
"""Ridge penalties that are tried, in units of the mean squared singular value of the centred shares."""


@dataclass(frozen=True)
class Mixture:
    """A fitted linear datamodel.

    Attributes:
        weights: Change of the outcome per unit of each region, shape (regions,).
        intercept: Outcome where all shares are 0.
        penalty: The chosen one of ``PENALTIES``.
    """

    weights: np.ndarray
    intercept: float
    penalty: float

    def predict(self, shares: np.ndarray) -> np.ndarray:
        """Return the outcome of mixtures, shape (mixtures,)."""
        predicted: np.ndarray = shares @ self.weights + self.intercept
        return predicted


def fit_mixture(shares: np.ndarray, outcome: np.ndarray, penalties: Sequence[float] = PENALTIES) -> Mixture:
    """Fit by ridge regression, with the penalty that has the smallest leave-one-out error.

    Args:
        shares: Share of each region in each mixture, shape (mixtures, regions).
        outcome: Outcome of each mixture, shape (mixtures,).
        penalties: Penalties to choose from.
    """
    centre, mean = shares.mean(axis=0), float(outcome.mean())
    left, values, right = np.linalg.svd(shares - centre, full_matrices=False)
    unit = float((values**2).mean()) or 1.0
    best: tuple[float, Mixture] | None = None
    for penalty in penalties:
        kept = values**2 / (values**2 + penalty * unit)
        projected = left.T @ (outcome - mean)
        fitted = mean + left @ (kept * projected)
        # Leverage of each mixture; the intercept adds 1 / n.
        leverage = (left**2) @ kept + 1 / len(outcome)
        error = float((((outcome - fitted) / np.maximum(1 - leverage, 1e-9)) ** 2).mean())
        if best is None or error < best[0]:
            weights = right.T @ (values / (values**2 + penalty * unit) * projected)
            best = error, Mixture(weights, mean - float(centre @ weights), float(penalty))
    assert best is not None
    return best[1]


def predict_held_out(shares: np.ndarray, outcome: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """Predict the outcome of each mixture by a fit to the mixtures of all other groups.

    Args:
        shares: Shape (mixtures, regions).
        outcome: Shape (mixtures,).
        groups: Group of each mixture. Two complementary halves are one group: the fit knows one from the other.
    """
    predicted = np.full(len(outcome), np.nan)
    labels = np.asarray(groups)
    for group in np.unique(labels):
        own = labels == group
        predicted[own] = fit_mixture(shares[~own], outcome[~own]).predict(shares[own])
    return predicted
