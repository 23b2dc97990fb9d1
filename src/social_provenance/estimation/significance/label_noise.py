"""How labels err: from the measured errors of a classifier to labels drawn with them."""

from __future__ import annotations

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.regions.grid import FORMATS, TOPICS


def transition_matrix(topic: float, form: float) -> np.ndarray:
    """Return the law of flips of bins, 576 x 576, from that of each axis; axes err independently.

    Args:
        topic: Share of wrong topic labels, 0 to 1, spread evenly over the other topics.
        form: The same for formats.

    Raises:
        AttributionError: If a rate is outside 0 to 1.
    """
    return np.kron(_of_axis(topic, "topic", len(TOPICS)), _of_axis(form, "format", len(FORMATS)))


def _of_axis(rate: float, name: str, size: int) -> np.ndarray:
    if not 0 <= rate <= 1:
        raise AttributionError(f"the rate of wrong labels of {name} is {rate}: give a share, 0 to 1")
    return np.where(np.eye(size, dtype=bool), 1 - rate, rate / (size - 1))


def refuse_improper_rows(law: np.ndarray, name: str, size: int) -> None:
    """Refuse what is not ``size`` laws over ``size`` labels, one in each row.

    Raises:
        AttributionError: With the first wrong row.
    """
    if law.shape != (size, size):
        raise AttributionError(f"{name} has the shape {law.shape}: give {size} x {size}, one row a label")
    wrong = ~((law >= 0).all(axis=1) & (np.abs(law.sum(axis=1) - 1) < 1e-6))
    if wrong.any():
        row = int(wrong.argmax())
        raise AttributionError(
            f"row {row} of {name} sums to {law[row].sum():.6g} with a least value of {law[row].min():.6g}: give shares "
            f"that sum to 1"
        )


def draw_labels(steps: np.ndarray, bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a bin for each document.

    Args:
        steps: Bins x bins: the cumulative law of each bin's documents.
        bins: Bin of each document.
        rng: Of the draws.
    """
    at = rng.random(len(bins))
    drawn = np.empty_like(bins)
    for bin_ in np.unique(bins):
        own = bins == bin_
        drawn[own] = np.minimum(np.searchsorted(steps[bin_], at[own], side="right"), len(steps) - 1)
    return drawn
