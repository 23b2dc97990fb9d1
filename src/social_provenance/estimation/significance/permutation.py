"""Family-wise test of bins: Westfall & Young's max-T over permutations of the documents' labels.

It bounds the probability of even one false discovery.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.bin_moments import PRIOR_DF, bin_sums, refuse_unusable


@dataclass(frozen=True)
class MaxT:
    """Result of the permutation test, shape (bins, columns) each; NaN where a bin has fewer than two documents.

    Attributes:
        statistic: Studentised deviation of the bin's mean from the mean of the strata of its documents.
        p: Two-sided p for the bin alone.
        p_adjusted: Two-sided p for the whole family of bins x columns, step-down; never below ``p``.
    """

    statistic: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray


def length_strata(lengths: np.ndarray, strata: int = 10) -> np.ndarray:
    """Return the stratum of each document: quantiles of length, ties together.

    Args:
        lengths: Length of each document, in any unit.
        strata: Upper bound of the number of strata; 1 permutes freely.

    Raises:
        AttributionError: If fewer than one stratum is asked for.
    """
    if strata < 1:
        raise AttributionError(f"strata is {strata}: give 1 or more")
    bounds = np.unique(np.quantile(lengths, np.arange(1, strata) / strata)) if len(lengths) else np.zeros(0)
    return np.searchsorted(bounds, lengths, side="right")


def max_t(
    scores: np.ndarray, bins: np.ndarray, n_bins: int, strata: np.ndarray, permutations: int = 1000, seed: int = 0
) -> MaxT:
    """Test every bin by permuting the bins of documents within strata (Westfall & Young 1993).

    The mean of its stratum is subtracted from each document, so that a bin of long documents is not called
    for their length. A bin's statistic is its mean over its standard error; studentising by the bin's own
    variance keeps the test asymptotically valid for bins that differ in variance alone (Chung & Romano 2013),
    and the prior prevents extreme statistics from two documents that happen to agree. All columns share a
    permutation, so correlated benchmarks are not corrected for twice. p is step-down: each bin is compared
    with the maximum over the bins that are not more extreme. Memory is documents x columns and bins x columns,
    whatever the number of permutations.

    Documents are taken as exchangeable. Where they come in clusters, give one row per cluster.

    Args:
        scores: Scores, shape (documents, columns).
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Number of bins of the grid.
        strata: Stratum of each document, integers from 0.
        permutations: Number of permutations, at least 1. The smallest p is 1 / (permutations + 1).
        seed: Seed of the permutations.

    Raises:
        AttributionError: If a score is not finite, arrays are of different documents, or there is no
            permutation.
    """
    refuse_unusable(scores, bins=bins, strata=strata)
    if permutations < 1:
        raise AttributionError(f"permutations is {permutations}: give 1 or more")
    test = _Statistic(scores, bins, n_bins, strata)
    observed = test(np.arange(len(scores)))
    size = np.abs(observed).ravel()
    ranked = np.argsort(-np.nan_to_num(size, nan=-1.0), kind="stable")[: np.isfinite(size).sum()]
    bound = size[ranked] * (1 - 1e-9)  # ties: sums in another order differ in their last digits
    exceeded_alone, exceeded_in_family = np.ones(len(ranked)), np.ones(len(ranked))
    rng = np.random.default_rng(seed)
    for _ in range(permutations):
        drawn = np.abs(test(test.permute(rng))).ravel()[ranked]
        exceeded_alone += drawn >= bound
        # Step-down: for each bin the maximum over the bins that are not more extreme than it.
        highest = np.maximum.accumulate(drawn[::-1])[::-1]
        exceeded_in_family += highest >= bound
    p, adjusted = np.full(size.shape, np.nan), np.full(size.shape, np.nan)
    p[ranked] = exceeded_alone / (permutations + 1)
    if len(ranked):
        adjusted[ranked] = np.maximum.accumulate(exceeded_in_family / (permutations + 1))
    return MaxT(observed, p.reshape(observed.shape), adjusted.reshape(observed.shape))


class _Statistic:
    """Studentised bin means of documents whose bins are permuted."""

    def __init__(self, scores: np.ndarray, bins: np.ndarray, n_bins: int, strata: np.ndarray) -> None:
        from scipy.sparse import csr_array

        sizes = np.bincount(strata)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = bin_sums(scores, strata, len(sizes)) / sizes[:, None]
        residuals = scores - means[strata]
        residuals = np.where(np.abs(residuals) <= 1e-12 * np.abs(scores).max(axis=0, initial=0.0), 0.0, residuals)
        self._values = np.concatenate([residuals, residuals**2], axis=1)
        self._by_stratum = np.argsort(strata, kind="stable")
        self._ends = np.cumsum(sizes)
        self._by_bin = np.argsort(bins, kind="stable")
        self._counts = np.bincount(bins, minlength=n_bins)
        self._starts = np.concatenate([[0], np.cumsum(self._counts)])
        self._matrix, self._ones = csr_array, np.ones(len(bins))
        self._pooled = (residuals**2).sum(axis=0) / max(len(residuals) - len(sizes), 1)

    def permute(self, rng: np.random.Generator) -> np.ndarray:
        """Return, for each document, the index of the one in its stratum whose score it gets."""
        shuffled = self._by_stratum.copy()
        for start, end in zip(np.concatenate([[0], self._ends[:-1]]), self._ends, strict=True):
            rng.shuffle(shuffled[start:end])
        taken = np.empty_like(shuffled)
        taken[self._by_stratum] = shuffled
        return taken

    def __call__(self, taken: np.ndarray) -> np.ndarray:
        """Return mean / standard error, shape (bins, columns); NaN below two documents, 0 where scores are constant."""
        members = self._matrix((self._ones, taken[self._by_bin], self._starts), shape=(len(self._counts), len(taken)))
        sums, squares = np.split(members @ self._values, 2, axis=1)
        n = np.where(self._counts > 1, self._counts, np.nan)[:, None]
        squared_deviations = np.maximum(squares - sums**2 / n, 0)
        spread = (squared_deviations + PRIOR_DF * self._pooled) / (n - 1 + PRIOR_DF)
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = sums / np.sqrt(n * spread)
        return np.where(np.isnan(n), np.nan, np.where(sums == 0, 0.0, statistic))
