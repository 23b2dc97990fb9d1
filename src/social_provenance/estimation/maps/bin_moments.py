"""Counts, means and variances of the documents of each bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError

PRIOR_DF = 4.0
"""Degrees of freedom that the variance of all documents counts for beside that of a bin's own (Smyth 2004).

Three documents that agree by chance would otherwise have a variance near zero, and their bin a statistic without bound.
"""


@dataclass(frozen=True)
class BinMoments:
    """Counts, means and variances of bins.

    Attributes:
        counts: Number of documents, shape (bins,).
        means: Mean scores, shape (bins, columns); NaN where a bin has no document.
        spread: Variance of the documents (ddof 1), in the unit of the scores squared, shape (bins, columns);
            NaN where a bin has fewer than two.
    """

    counts: np.ndarray
    means: np.ndarray
    spread: np.ndarray

    def pooled_spread(self) -> np.ndarray:
        """Return the variance of documents within bins, pooled with weights counts - 1, shape (columns,)."""
        freedom = np.maximum(self.counts - 1, 0)
        pooled: np.ndarray = freedom @ np.nan_to_num(self.spread) / max(int(freedom.sum()), 1)
        return pooled


def bin_moments(scores: np.ndarray, bins: np.ndarray, n_bins: int) -> BinMoments:
    """Return counts, means and variances of the bins.

    Args:
        scores: Scores, shape (documents, columns).
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Number of bins of the grid.

    Raises:
        AttributionError: If a score is not finite, or scores and bins are of different documents.
    """
    refuse_unusable(scores, bins=bins)
    counts = np.bincount(bins, minlength=n_bins)
    # Deviations from the overall mean: squares of the scores themselves would lose a small variance to rounding.
    centre = scores.mean(axis=0) if len(scores) else np.zeros(scores.shape[1])
    centred = scores - centre
    centred = np.where(np.abs(centred) <= 1e-12 * np.abs(centre), 0.0, centred)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = bin_sums(centred, bins, n_bins) / np.where(counts > 0, counts, np.nan)[:, None]
        residuals = centred - means[bins]
        spread = bin_sums(residuals**2, bins, n_bins) / np.where(counts > 1, counts - 1, np.nan)[:, None]
    return BinMoments(counts, means + centre, spread)


def bin_sums(values: np.ndarray, bins: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the sums over the documents of each bin, shape (bins, columns)."""
    return np.stack([np.bincount(bins, weights=column, minlength=n_bins) for column in values.T], axis=1)


def refuse_unusable(scores: np.ndarray, **beside: np.ndarray) -> None:
    """Refuse scores that are not finite, and arrays that do not have one row per document.

    Args:
        scores: Scores, shape (documents, columns).
        **beside: Further arrays over the documents, by their name in the message.

    Raises:
        AttributionError: With the first offending index, its value, and the fix.
    """
    if scores.ndim != 2:
        raise AttributionError(f"scores have the shape {scores.shape}: give documents x columns")
    for name, array in beside.items():
        if len(array) != len(scores):
            raise AttributionError(
                f"{name} are of {len(array)} documents and scores of {len(scores)}: they do not belong together, "
                f"give both in the order of one table"
            )
    gaps = ~np.isfinite(scores)
    if gaps.any():
        row, column = np.argwhere(gaps)[0]
        raise AttributionError(
            f"scores[{row}, {column}] is {scores[row, column]}: every document needs a number for every benchmark and "
            f"method, run the attribution pipeline again"
        )
