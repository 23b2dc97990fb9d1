"""Two-way bootstrap of bin means: over documents, by cluster, and over queries, by block.

A replicate of a bin's mean is mean + document deviation + query deviation. With p_g the share of the
bin's documents that cluster g has, w_k the share of the queries that block k has, and e and f random
multipliers of mean 0 and variance 1 (:mod:`social_provenance.estimation.bootstrap.multipliers`),

    document deviation = sum over g of e_g p_g (mean of g - mean) / sqrt(1 - sum p^2)
    query deviation    = sum over k of f_k w_k (mean of k - mean) / sqrt(1 - sum w^2)

The divisors make both variances the unbiased ones; with n clusters of one size the first is s^2 / n.
The residual after both, the interaction of documents and queries, is part of both variances; its own
variance is estimated separately, so that it is counted once
(:mod:`social_provenance.estimation.bootstrap.uncertainty`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import hash_names, multipliers

CHUNK = 2048
"""Number of clusters whose multipliers are in memory at a time: with 1,000 replicates, 16 MiB."""
ROUNDING = 1e-12
"""Share of the largest value of a column below which a deviation counts as rounding error."""
QUERIES = 0x5EED
"""Offset of the seed for blocks, so that a block never has the multiplier of a cluster of the same name."""


@dataclass(frozen=True)
class Groups:
    """Documents sorted by bin and, within a bin, by cluster.

    Attributes:
        order: Index in the input of each sorted document, shape (documents,).
        bins: Bin of each sorted document, shape (documents,).
        starts: Index of the first sorted document of each group, shape (groups,). A group is the part of a cluster
            that is in one bin.
        sizes: Number of documents of each group, shape (groups,).
        group_bins: Bin of each group, shape (groups,).
        hashes: Hash of the cluster of each group, uint64, shape (groups,).
        counts: Number of documents of each bin, shape (bins,).
        clusters: Number of groups of each bin, shape (bins,).
    """

    order: np.ndarray
    bins: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    group_bins: np.ndarray
    hashes: np.ndarray
    counts: np.ndarray
    clusters: np.ndarray

    def shares(self) -> np.ndarray:
        """Return p: the share of its bin's documents that each group has."""
        shares: np.ndarray = self.sizes / self.counts[self.group_bins]
        return shares

    def ess(self) -> np.ndarray:
        """Return the effective sample size of each bin, 1 / sum of p^2 (Kish 1965); 0 where it is empty."""
        squares = np.bincount(self.group_bins, self.shares() ** 2, minlength=len(self.counts))
        return np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return bin means of values in sorted order, shape (bins, columns); NaN where a bin is empty."""
        means = np.full((len(self.counts), *values.shape[1:]), np.nan)
        filled = np.flatnonzero(self.counts)
        if len(filled):
            starts = np.searchsorted(self.bins, filled)
            means[filled] = np.add.reduceat(values, starts, axis=0, dtype=np.float64) / self.counts[filled, None]
        return means

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return sums over groups of values in sorted order, shape (groups, columns)."""
        if len(self.starts) == len(values):
            return values
        sums: np.ndarray = np.add.reduceat(values, self.starts, axis=0)
        return sums

    def ranges(self) -> list[tuple[int, int, int]]:
        """Return (bin, first group, one past the last) of each bin that has documents."""
        ends = np.cumsum(self.clusters)
        return [
            (int(bin_), int(ends[bin_] - self.clusters[bin_]), int(ends[bin_])) for bin_ in self.clusters.nonzero()[0]
        ]


def group_documents(bins: np.ndarray, hashes: np.ndarray, n_bins: int) -> Groups:
    """Sort documents into bins and clusters.

    Args:
        bins: Bin of each document, 0 to ``n_bins - 1``.
        hashes: Hash of the cluster of each document, uint64.
        n_bins: Number of bins of the grid.
    """
    order = np.lexsort((hashes, bins))
    sorted_bins, sorted_hashes = bins[order], hashes[order]
    is_first = np.ones(len(sorted_bins), dtype=bool)
    is_first[1:] = (sorted_bins[1:] != sorted_bins[:-1]) | (sorted_hashes[1:] != sorted_hashes[:-1])
    starts = np.flatnonzero(is_first)
    return Groups(
        order=order,
        bins=sorted_bins,
        starts=starts,
        sizes=np.diff([*starts, len(sorted_bins)]),
        group_bins=sorted_bins[starts],
        hashes=sorted_hashes[starts],
        counts=np.bincount(sorted_bins, minlength=n_bins),
        clusters=np.bincount(sorted_bins[starts], minlength=n_bins),
    )


def document_deviations(
    groups: Groups, scores: np.ndarray, replicates: int, seed: int, chunk: int = CHUNK
) -> np.ndarray:
    """Return the deviations of bin means over resampled documents.

    Args:
        groups: Documents by bin and cluster.
        scores: Scores, shape (documents, columns), in the order of the input.
        replicates: Number of bootstrap replicates.
        seed: Seed of the multipliers.
        chunk: Clusters at a time; changes the last digits only.

    Returns:
        Deviations, float32, shape (replicates, bins, columns); 0 where a bin has fewer than two clusters.
    """
    sorted_scores = scores[groups.order]
    means = groups.means(sorted_scores)
    n_bins, columns = means.shape
    # Deviations are carried in units of their column's own spread, so that no unit of a score is too small for float32.
    contributions = (
        groups.sums(without_rounding(sorted_scores - means[groups.bins], sorted_scores))
        / groups.counts[groups.group_bins, None]
    )
    unit = np.abs(contributions).max(axis=0, initial=0)
    unit = np.where(unit > 0, unit, 1.0)
    contributions = (contributions / unit * unbiasing(groups.ess())[groups.group_bins, None]).astype(np.float32)
    deviations = np.zeros((replicates, n_bins, columns), dtype=np.float32)
    for bin_, first, last in groups.ranges():
        if last - first < 2:
            continue
        total = np.zeros((replicates, columns), dtype=np.float32)
        for start in range(first, last, chunk):
            clusters = slice(start, min(start + chunk, last))
            total += multipliers(groups.hashes[clusters], replicates, seed).T @ contributions[clusters]
        deviations[:, bin_] = total
    deviations *= unit.astype(np.float32)
    return deviations


def query_deviations(means: np.ndarray, weights: np.ndarray, benchmark: str, replicates: int, seed: int) -> np.ndarray:
    """Return the deviations of bin means over resampled queries.

    A block has the same multiplier in every bin and for every method, so methods are paired by query.

    Args:
        means: Mean score of a bin's documents over a block's queries, shape (bins, blocks).
        weights: Share of the queries that each block has, shape (blocks,), sums to 1.
        benchmark: Name of the benchmark; blocks of different benchmarks are resampled independently.
        replicates: Number of bootstrap replicates.
        seed: Seed of the multipliers.

    Returns:
        Deviations, float32, shape (replicates, bins); 0 with a single block, and where a bin is empty.
    """
    centred = np.nan_to_num(without_rounding(means - (means @ weights)[:, None], means))
    contributions = centred * weights * unbiasing(kish(weights))
    names = [f"{benchmark}/{block}" for block in range(len(weights))]
    factors = multipliers(hash_names(names), replicates, seed + QUERIES)
    deviations: np.ndarray = (factors.T.astype(np.float64) @ contributions.T).astype(np.float32)
    return deviations


def interaction_variance(groups: Groups, blocks: np.ndarray, weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the variance of each bin's mean that is due to the interaction of documents and queries.

    It is part of both one-way variances: the sum over clusters and blocks of the squared doubly
    centred scores, weighted by (p w)^2, unbiased on both sides.

    Args:
        groups: Documents by bin and cluster.
        blocks: Scores, shape (documents, blocks), in sorted order.
        weights: Share of the queries that each block has, shape (blocks,).
        means: Mean scores, shape (bins, blocks), as in :func:`query_deviations`.

    Returns:
        Of each bin; 0 with fewer than two clusters or blocks.
    """
    centred = blocks - means[groups.bins].astype(blocks.dtype)
    residual = groups.sums(centred - (centred @ weights.astype(blocks.dtype))[:, None])
    pulls = residual / groups.counts[groups.group_bins, None] * weights
    squares = np.bincount(groups.group_bins, np.einsum("gk,gk->g", pulls, pulls), minlength=len(groups.counts))
    both: np.ndarray = squares * unbiasing(groups.ess()) ** 2 * unbiasing(kish(weights)) ** 2
    return both


def without_rounding(deviations: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return deviations from means, with rounding errors of sums of equal values set to 0.

    Standardised by their own spread, the last digits of a constant score would look like structure.

    Args:
        deviations: Deviations, shape (rows, columns).
        values: Values from which the means were computed, same shape; NaN where missing.
    """
    largest = np.nan_to_num(np.abs(values)).max(axis=0, initial=0)
    return np.where(np.abs(deviations) <= ROUNDING * largest, 0, deviations)


def kish(weights: np.ndarray) -> np.ndarray:
    """Return the effective number of blocks, 1 / sum of w^2 (Kish 1965), as an array without axes."""
    return np.asarray(1 / (weights**2).sum())


def unbiasing(ess: np.ndarray) -> np.ndarray:
    """Return sqrt(ess / (ess - 1)), which makes the variance of a mean unbiased; 0 where ess is 1 or less."""
    several = ess > 1 + 1e-9
    return np.asarray(np.sqrt(np.divide(ess, ess - 1, out=np.zeros_like(ess, dtype=float), where=several)))
