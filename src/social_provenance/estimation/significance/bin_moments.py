"""Counts, means and variances of bins, of documents that are known to belong together."""

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
    """What a bin's documents say about its mean.

    Attributes:
        counts: Bins: documents.
        means: Bins x columns, in the scores' unit; NaN where a bin has no document.
        spread: Bins x columns: variance of its documents (ddof 1), in the unit squared; NaN where a
            bin has fewer than two.
    """

    counts: np.ndarray
    means: np.ndarray
    spread: np.ndarray

    def pooled_spread(self) -> np.ndarray:
        """Return the variance of a document within its bin, columns: bins weighted by counts - 1."""
        freedom = np.maximum(self.counts - 1, 0)
        pooled: np.ndarray = freedom @ np.nan_to_num(self.spread) / max(int(freedom.sum()), 1)
        return pooled


def bin_moments(scores: np.ndarray, bins: np.ndarray, n_bins: int) -> BinMoments:
    """Return counts, means and variances of the bins.

    Args:
        scores: Documents x columns.
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Bins of the grid.

    Raises:
        AttributionError: If a score is no number, or scores and bins are of different documents.
    """
    refuse_unusable(scores, bins=bins)
    counts = np.bincount(bins, minlength=n_bins)
    # Sums of squares about the overall mean: about zero they would drown a spread that is small by the level.
    centre = scores.mean(axis=0) if len(scores) else np.zeros(scores.shape[1])
    away = scores - centre
    away = np.where(np.abs(away) <= 1e-12 * np.abs(centre), 0.0, away)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = bin_sums(away, bins, n_bins) / np.where(counts > 0, counts, np.nan)[:, None]
        rest = away - means[bins]
        spread = bin_sums(rest**2, bins, n_bins) / np.where(counts > 1, counts - 1, np.nan)[:, None]
    return BinMoments(counts, means + centre, spread)


def bin_sums(values: np.ndarray, bins: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the sums over the documents of each bin, bins x columns."""
    return np.stack([np.bincount(bins, weights=column, minlength=n_bins) for column in values.T], axis=1)


def refuse_unusable(scores: np.ndarray, **beside: np.ndarray) -> None:
    """Refuse scores that are no numbers, and arrays that are not one row a document.

    Args:
        scores: Documents x columns.
        **beside: Arrays that go with the documents, by the name that the message gives them.

    Raises:
        AttributionError: With the first offending place, its value, and what to do.
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
