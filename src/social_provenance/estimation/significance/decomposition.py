"""What of a map is topic, what is format, and what is neither.

A grid of topics x formats with missing bins is laid apart by weighted least squares:

    value = grand + topic + format + interaction

Effects of topics and of formats sum to zero over those that are there, so that an effect is a
deviation from the mean topic and not from the most common one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError

PARTS = ("topic", "format", "interaction")


@dataclass(frozen=True)
class Decomposition:
    """A grid laid apart; everything but the shares is in the grid's unit.

    Attributes:
        grand: The mean topic in the mean format.
        topic: Topics; NaN where a topic has no bin.
        format: Formats; NaN where a format has no bin.
        interaction: Topics x formats: what is left; NaN where the bin is missing.
        shares: Part -> its share of the weighted sum of squares about the weighted mean. They sum to
            1; all are NaN where the grid is constant.
        corrected: The same with what the errors of the bins put into each part taken off and shown as
            ``noise``; None where no variances were given.
    """

    grand: float
    topic: np.ndarray
    format: np.ndarray
    interaction: np.ndarray
    shares: dict[str, float]
    corrected: dict[str, float] | None

    def additive(self) -> np.ndarray:
        """Return grand + topic + format, topics x formats."""
        sums: np.ndarray = self.grand + self.topic[:, None] + self.format[None, :]
        return sums


def decompose(
    values: np.ndarray, weights: np.ndarray | None = None, variances: np.ndarray | None = None
) -> Decomposition:
    """Lay a grid apart into grand mean, topics, formats and interaction.

    Topic and format overlap where bins are missing or weights differ. Each is then credited with the
    mean of what it explains when it enters first and when it enters last (Lindeman, Merenda & Gold
    1980), so that the parts still sum to the whole. With P the projection of a model on weighted
    values, noise puts sum(P_ii w_i v_i) into its sum of squares; that is taken off. A part below zero
    counts as zero, and the difference goes to ``noise``.

    Args:
        values: Topics x formats; NaN where a bin is missing.
        weights: Topics x formats, at least zero: precisions or numbers of documents; None weighs
            bins alike. A bin of weight zero takes no part in the fit and has an interaction.
        variances: Topics x formats: squared standard errors of the values.

    Raises:
        AttributionError: If shapes differ, a weight or variance of a bin is negative or no number, or
            the bins fall apart into groups that share neither topic nor format.
    """
    weights = np.ones_like(values) if weights is None else weights
    there = np.isfinite(values)
    _refuse_unusable(values, there, weights=weights, variances=variances)
    used = there & (weights > 0)
    if not used.any():
        raise AttributionError("no bin has a value and a weight above 0: a map needs documents to be laid apart")
    y, w = values[used], weights[used] / weights[used].max()
    topics, formats = indicators(used)
    grand, topic, form = _effects(y, w, used)
    parts = _PartsOfSquares(topics, formats, w)
    with np.errstate(invalid="ignore"):
        shares = parts.of(np.sqrt(w) * (y - np.average(y, weights=w)))
        total = shares.sum() if shares.sum() > 1e-20 * float(w @ y**2) else np.nan
    corrected = None
    if variances is not None:
        left = np.clip(shares - parts.noise(w * variances[used]), 0, None) / total
        corrected = {**dict(zip(PARTS, left.tolist(), strict=True)), "noise": float(1 - left.sum())}
    return Decomposition(
        grand=grand,
        topic=topic,
        format=form,
        interaction=values - (grand + topic[:, None] + form[None, :]),
        shares=dict(zip(PARTS, (shares / total).tolist(), strict=True)),
        corrected=corrected,
    )


def indicators(used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which topic and which format each used bin has: bins x topics, bins x formats, 0 and 1."""
    topic, form = used.nonzero()
    return np.eye(used.shape[0])[topic], np.eye(used.shape[1])[form]


def _effects(y: np.ndarray, w: np.ndarray, used: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit the effects, each kind summing to zero."""
    design = np.concatenate(indicators(used), axis=1)
    rows, columns = np.asarray(used.any(axis=1)), np.asarray(used.any(axis=0))
    fit, _, rank, _ = np.linalg.lstsq(np.sqrt(w)[:, None] * design, np.sqrt(w) * y, rcond=None)
    connected = np.linalg.matrix_rank(design)
    if connected < rows.sum() + columns.sum() - 1:
        raise AttributionError(
            f"the bins fall apart into {int(rows.sum() + columns.sum() - connected)} groups that share neither topic "
            f"nor format: effects across groups cannot be told, lay each group apart by itself"
        )
    if rank < connected:
        raise AttributionError(
            f"weights run from {w.min():.3g} to {w.max():.3g} of the largest: effects cannot be told, give weights "
            f"that differ less"
        )
    topic = np.where(rows, fit[: len(rows)], np.nan)
    form = np.where(columns, fit[len(rows) :], np.nan)
    grand = np.nanmean(topic) + np.nanmean(form)
    return float(grand), topic - np.nanmean(topic), form - np.nanmean(form)


class _PartsOfSquares:
    """Sums of squares of topic, format and interaction, of weighted values or of noise."""

    def __init__(self, topics: np.ndarray, formats: np.ndarray, w: np.ndarray) -> None:
        """Take orthonormal bases of the weighted models: mean alone, topics, formats, both."""
        root = np.sqrt(w)[:, None]
        models = (np.ones((len(w), 1)), topics, formats, np.concatenate([topics, formats], axis=1))
        self._bases = [_basis(root * model) for model in models]

    def of(self, weighted: np.ndarray) -> np.ndarray:
        """Return the sums of squares of sqrt(weight) x value, one for each part."""
        return self._split(
            [float(np.sum((basis.T @ weighted) ** 2)) for basis in self._bases], float(weighted @ weighted)
        )

    def noise(self, variances: np.ndarray) -> np.ndarray:
        """Return what independent noise of these variances (weight x variance) puts into each part."""
        return self._split([float((basis**2).sum(axis=1) @ variances) for basis in self._bases], float(variances.sum()))

    @staticmethod
    def _split(explained: list[float], total: float) -> np.ndarray:
        mean, topic, form, both = explained
        return np.array([(topic - mean + both - form) / 2, (form - mean + both - topic) / 2, total - both]).clip(0)


def _basis(model: np.ndarray) -> np.ndarray:
    left, values, _ = np.linalg.svd(model, full_matrices=False)
    basis: np.ndarray = left[:, values > 1e-10 * values.max()]
    return basis


def _refuse_unusable(values: np.ndarray, there: np.ndarray, **beside: np.ndarray | None) -> None:
    for name, array in beside.items():
        if array is None:
            continue
        if array.shape != values.shape:
            raise AttributionError(f"{name} have the shape {array.shape} and values {values.shape}: give them alike")
        wrong = there & ~(np.isfinite(array) & (array >= 0))
        if wrong.any():
            topic, form = np.argwhere(wrong)[0]
            raise AttributionError(
                f"{name}[{topic}, {form}] is {array[topic, form]} where the bin has a value: give a number of at "
                f"least 0"
            )
