"""Decomposition of a map into topic, format, interaction and noise.

A grid of topics x formats with missing bins is fitted by least squares:

    value = grand mean + topic + format + interaction

Effects of topics and of formats sum to zero over those that have bins, so that an effect is a deviation
from the mean topic and not from the most common one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError

PARTS = ("topic", "format", "interaction")
"""Parts of a map besides noise."""


@dataclass(frozen=True)
class Decomposition:
    """A decomposed grid; everything but the shares is in the unit of the grid.

    Attributes:
        grand: Grand mean: the mean topic in the mean format.
        topic: Effects of topics, shape (topics,); NaN where a topic has no bin.
        format: Effects of formats, shape (formats,); NaN where a format has no bin.
        interaction: Residuals, shape (topics, formats); NaN where the bin is missing.
        shares: Part of :data:`PARTS`, or ``noise`` -> its share of the sum of squares about the mean. They
            sum to 1; all are NaN where the grid is constant.
    """

    grand: float
    topic: np.ndarray
    format: np.ndarray
    interaction: np.ndarray
    shares: dict[str, float]


def decompose(values: np.ndarray, variances: np.ndarray) -> Decomposition:
    """Decompose a grid into grand mean, topics, formats, interaction and noise.

    Topic and format overlap where bins are missing. Each is then credited with the mean of what it explains
    when it is entered first and when it is entered last (Lindeman, Merenda & Gold 1980). Independent errors
    of the bins contribute to each part in proportion to the degrees of freedom that it takes from each bin;
    that is subtracted. A part below zero counts as zero, and the difference goes to ``noise``.

    Args:
        values: Values of the bins, shape (topics, formats); NaN where a bin is missing.
        variances: Squared standard errors of the values, same shape; zeros where the values are exact.

    Raises:
        AttributionError: If shapes differ, the variance of a bin is negative or not finite, or the bins fall
            into groups that share neither topic nor format.
    """
    filled = np.isfinite(values)
    _refuse_variances(values, filled, variances)
    if not filled.any():
        raise AttributionError("no bin has a value, so nothing can be decomposed: give documents in two bins or more")
    y = values[filled]
    topics, formats = _indicators(filled)
    grand, topic, form = _effects(y, filled)
    squares = _SumsOfSquares(topics, formats)
    explained = squares.of(y - y.mean())
    # The rounding of a constant grid would be divided by itself otherwise.
    total = explained.sum() if explained.sum() > 1e-20 * float(y @ y) else np.nan
    with np.errstate(invalid="ignore"):
        corrected = np.clip(explained - squares.noise(variances[filled]), 0, None) / total
    return Decomposition(
        grand=grand,
        topic=topic,
        format=form,
        interaction=values - (grand + topic[:, None] + form[None, :]),
        shares={**dict(zip(PARTS, corrected.tolist(), strict=True)), "noise": float(1 - corrected.sum())},
    )


def _indicators(filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indicator matrices of the filled bins: bins x topics, bins x formats."""
    topic, form = filled.nonzero()
    return np.eye(filled.shape[0])[topic], np.eye(filled.shape[1])[form]


def _effects(y: np.ndarray, filled: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit the effects, each kind summing to zero."""
    design = np.concatenate(_indicators(filled), axis=1)
    topics, formats = np.asarray(filled.any(axis=1)), np.asarray(filled.any(axis=0))
    fit, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank < topics.sum() + formats.sum() - 1:
        raise AttributionError(
            f"the bins fall into {int(topics.sum() + formats.sum() - rank)} groups that share neither topic nor "
            f"format: effects are not identifiable across disconnected groups, decompose each group separately"
        )
    topic = np.where(topics, fit[: len(topics)], np.nan)
    form = np.where(formats, fit[len(topics) :], np.nan)
    grand = np.nanmean(topic) + np.nanmean(form)
    return float(grand), topic - np.nanmean(topic), form - np.nanmean(form)


class _SumsOfSquares:
    """Sums of squares of topic, format and interaction, of values or of noise."""

    def __init__(self, topics: np.ndarray, formats: np.ndarray) -> None:
        """Compute orthonormal bases of the models: mean alone, topics, formats, both."""
        models = (np.ones((len(topics), 1)), topics, formats, np.concatenate([topics, formats], axis=1))
        self._bases = [_basis(model) for model in models]

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of squares of each part."""
        return self._split([float(np.sum((basis.T @ values) ** 2)) for basis in self._bases], float(values @ values))

    def noise(self, variances: np.ndarray) -> np.ndarray:
        """Return the expected contribution of independent noise to the sum of squares of each part."""
        return self._split([float((basis**2).sum(axis=1) @ variances) for basis in self._bases], float(variances.sum()))

    @staticmethod
    def _split(explained: list[float], total: float) -> np.ndarray:
        mean, topic, form, both = explained
        return np.array([(topic - mean + both - form) / 2, (form - mean + both - topic) / 2, total - both]).clip(0)


def _basis(model: np.ndarray) -> np.ndarray:
    left, values, _ = np.linalg.svd(model, full_matrices=False)
    basis: np.ndarray = left[:, values > 1e-10 * values.max()]
    return basis


def _refuse_variances(values: np.ndarray, filled: np.ndarray, variances: np.ndarray) -> None:
    if variances.shape != values.shape:
        raise AttributionError(
            f"variances have the shape {variances.shape} and values {values.shape}: give one variance for each value"
        )
    wrong = filled & ~(np.isfinite(variances) & (variances >= 0))
    if wrong.any():
        topic, form = np.argwhere(wrong)[0]
        raise AttributionError(
            f"variances[{topic}, {form}] is {variances[topic, form]} where the bin has a value: give a finite number "
            f"of at least 0"
        )
