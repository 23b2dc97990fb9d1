"""Label noise: a transition matrix from the error rates of a classifier, and labels drawn from it."""

from __future__ import annotations

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.regions.grid import FORMATS, TOPICS


def transition_matrix(topic: float, form: float) -> np.ndarray:
    """Return the transition matrix of bin labels; errors of topic and format are independent.

    Args:
        topic: Share of wrong topic labels, 0 to 1, spread evenly over the other topics.
        form: The same for formats.

    Returns:
        Probability of each label given the bin, shape (576, 576); rows sum to 1.

    Raises:
        AttributionError: If a rate is outside 0 to 1.
    """
    return np.kron(_of_axis(topic, "topic", len(TOPICS)), _of_axis(form, "format", len(FORMATS)))


def _of_axis(rate: float, name: str, size: int) -> np.ndarray:
    if not 0 <= rate <= 1:
        raise AttributionError(f"the rate of wrong labels of {name} is {rate}: give a share, 0 to 1")
    return np.where(np.eye(size, dtype=bool), 1 - rate, rate / (size - 1))


def refuse_improper_rows(matrix: np.ndarray, name: str, size: int) -> None:
    """Refuse a matrix whose rows are not probability distributions over ``size`` labels.

    Raises:
        AttributionError: With the first invalid row.
    """
    if matrix.shape != (size, size):
        raise AttributionError(f"{name} has the shape {matrix.shape}: give {size} x {size}, one row per label")
    wrong = ~((matrix >= 0).all(axis=1) & (np.abs(matrix.sum(axis=1) - 1) < 1e-6))
    if wrong.any():
        row = int(wrong.argmax())
        raise AttributionError(
            f"row {row} of {name} sums to {matrix[row].sum():.6g} with a minimum of {matrix[row].min():.6g}: give "
            f"shares that sum to 1"
        )


def draw_labels(cumulative: np.ndarray, bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a bin label for each document.

    Args:
        cumulative: Cumulative probabilities of the labels given the bin, shape (bins, bins).
        bins: Bin of each document.
        rng: Random generator.
    """
    uniform = rng.random(len(bins))
    drawn = np.empty_like(bins)
    for bin_ in np.unique(bins):
        in_bin = bins == bin_
        drawn[in_bin] = np.minimum(
            np.searchsorted(cumulative[bin_], uniform[in_bin], side="right"), len(cumulative) - 1
        )
    return drawn
