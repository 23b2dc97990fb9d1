"""Bootstrap of bin means for a stratified sample.

The working set is stratified by bin, so documents are resampled within their bin: ``n - 1`` of
``n`` with replacement (Rao & Wu 1988), which makes the variance of the resampled mean equal to the
usual unbiased ``s**2 / n``, also for bins of a few documents. All benchmarks and methods share a
replicate's draw, so that differences between them are paired by document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class BinMeans:
    """Means of bins, and their bootstrap replicates.

    Attributes:
        counts: Documents of each bin, length 576.
        means: Bins x columns; NaN where a bin has no document.
        replicates: Replicates x bins x columns; NaN where a bin has fewer than two documents,
            because one document says nothing about the spread.
    """

    counts: np.ndarray
    means: np.ndarray
    replicates: np.ndarray


def bootstrap_bins(scores: np.ndarray, bins: np.ndarray, n_bins: int, replicates: int, seed: int) -> BinMeans:
    """Return means of bins with bootstrap replicates.

    Args:
        scores: Documents x columns (a column is a benchmark under a method).
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Bins of the grid.
        replicates: Bootstrap replicates.
        seed: Of the draws.
    """
    import numpy as np

    order = np.argsort(bins, kind="stable")
    scores, bins = scores[order], bins[order]
    counts = np.bincount(bins, minlength=n_bins)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    means = _means(scores, bins, counts, n_bins)
    drawn = bins[_all_but_one(bins, starts)]
    rng = np.random.default_rng(seed)
    out = np.full((replicates, n_bins, scores.shape[1]), np.nan)
    drawn_counts = np.bincount(drawn, minlength=n_bins)
    for replicate in range(replicates):
        picks = starts[drawn] + (rng.random(len(drawn)) * counts[drawn]).astype(np.int64)
        out[replicate] = _means(scores[picks], drawn, drawn_counts, n_bins)
    return BinMeans(counts, means, out)


def interval(replicates: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return percentile bounds along the first axis; NaN where there are no replicates."""
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return low, high


def _all_but_one(bins: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mark every document but the first of its bin."""
    import numpy as np

    marked: np.ndarray = np.arange(len(bins)) != starts[bins]
    return marked


def _means(scores: np.ndarray, bins: np.ndarray, counts: np.ndarray, n_bins: int) -> np.ndarray:
    import numpy as np

    sums = np.stack([np.bincount(bins, weights=column, minlength=n_bins) for column in scores.T], axis=1)
    with np.errstate(invalid="ignore"):
        return sums / np.where(counts > 0, counts, np.nan)[:, None]
