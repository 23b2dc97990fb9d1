"""Two-way bootstrap of bin means: over documents, by cluster, and over queries, by block.

A replicate of a bin's mean is mean + document deviation + query deviation. With p_g the share of the
bin's documents that cluster g has, w_k the share of the queries that block k has, and e and f random
multipliers of mean 0 and variance 1 (:mod:`social_provenance.estimation.bootstrap.multipliers`),

    document deviation = sum over g of e_g p_g (mean of g - mean) / sqrt(1 - sum p^2)
    query deviation    = sum over k of f_k w_k (mean of k - mean) / sqrt(1 - sum w^2)

The divisors make both variances the unbiased ones; with n clusters of one size the first is s^2 / n.
What is left once both are taken off, the interaction of documents and queries, is in both variances;
its own share is kept apart, so that it is counted once (:mod:`social_provenance.estimation.bootstrap.uncertainty`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import hash_names, multipliers

CHUNK = 2048
"""Clusters whose multipliers are held at a time: with 1,000 replicates, 16 MiB."""
ROUNDING = 1e-12
"""Share of a column's largest value below which a deviation is rounding."""
QUERIES = 0x5EED
"""Added to the seed for blocks, so that no block shares a draw with a cluster of its name."""


@dataclass(frozen=True)
class Groups:
    """Documents sorted by bin and, within a bin, by cluster.

    Attributes:
        order: Place of each document in the input, in sorted order.
        bins: Bin of each sorted document.
        starts: First sorted document of each group, a group being a cluster's part of a bin.
        sizes: Documents of each group.
        group_bins: Bin of each group.
        hashes: Hash of each group's cluster, uint64.
        counts: Documents of each bin.
        clusters: Groups of each bin.
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
        """Return p: each group's share of its bin's documents."""
        shares: np.ndarray = self.sizes / self.counts[self.group_bins]
        return shares

    def ess(self) -> np.ndarray:
        """Return the effective sample size of each bin, 1 / sum of p^2 (Kish 1965); 0 where it is empty."""
        squares = np.bincount(self.group_bins, self.shares() ** 2, minlength=len(self.counts))
        return np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return the means of bins, bins x columns, NaN where a bin is empty; ``values`` are in sorted order."""
        out = np.full((len(self.counts), *values.shape[1:]), np.nan)
        filled = np.flatnonzero(self.counts)
        if len(filled):
            starts = np.searchsorted(self.bins, filled)
            out[filled] = np.add.reduceat(values, starts, axis=0, dtype=np.float64) / self.counts[filled, None]
        return out

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return sums over groups, groups x columns, of values in sorted order."""
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
        hashes: Hash of each document's cluster, uint64.
        n_bins: Bins of the grid.
    """
    order = np.lexsort((hashes, bins))
    own, marks = bins[order], hashes[order]
    first = np.ones(len(own), dtype=bool)
    first[1:] = (own[1:] != own[:-1]) | (marks[1:] != marks[:-1])
    starts = np.flatnonzero(first)
    return Groups(
        order=order,
        bins=own,
        starts=starts,
        sizes=np.diff([*starts, len(own)]),
        group_bins=own[starts],
        hashes=marks[starts],
        counts=np.bincount(own, minlength=n_bins),
        clusters=np.bincount(own[starts], minlength=n_bins),
    )


def document_deviations(
    groups: Groups, scores: np.ndarray, replicates: int, seed: int, chunk: int = CHUNK
) -> np.ndarray:
    """Return replicates of the deviations of bin means that the draw of documents causes.

    Args:
        groups: The documents.
        scores: Documents x columns, in the order of the input.
        replicates: Bootstrap replicates.
        seed: Of the draws.
        chunk: Clusters at a time; changes the last digits only.

    Returns:
        Replicates x bins x columns, float32; 0 where a bin has fewer than two clusters.
    """
    sorted_ = scores[groups.order]
    means = groups.means(sorted_)
    n_bins, columns = means.shape
    # Deviations are carried in units of their column's own spread, so that no unit of a score is too small for float32.
    pulls = (
        groups.sums(without_rounding(sorted_ - means[groups.bins], sorted_)) / groups.counts[groups.group_bins, None]
    )
    unit = np.abs(pulls).max(axis=0, initial=0)
    unit = np.where(unit > 0, unit, 1.0)
    pulls = (pulls / unit * unbiasing(groups.ess())[groups.group_bins, None]).astype(np.float32)
    out = np.zeros((replicates, n_bins, columns), dtype=np.float32)
    for bin_, first, last in groups.ranges():
        if last - first < 2:
            continue
        total = np.zeros((replicates, columns), dtype=np.float32)
        for start in range(first, last, chunk):
            part = slice(start, min(start + chunk, last))
            total += multipliers(groups.hashes[part], replicates, seed).T @ pulls[part]
        out[:, bin_] = total
    out *= unit.astype(np.float32)
    return out


def query_deviations(means: np.ndarray, weights: np.ndarray, benchmark: str, replicates: int, seed: int) -> np.ndarray:
    """Return replicates of the deviations of bin means that the draw of queries causes.

    A block has the same multiplier in every bin and for every method, so methods are paired by query.

    Args:
        means: Bins x blocks: mean score of the bin's documents over the block's queries.
        weights: Of the blocks: share of the queries, sums to 1.
        benchmark: Whose blocks; those of different benchmarks are drawn independently.
        replicates: Bootstrap replicates.
        seed: Of the draws.

    Returns:
        Replicates x bins, float32; 0 with a single block, and where a bin is empty.
    """
    centred = np.nan_to_num(without_rounding(means - (means @ weights)[:, None], means))
    pulls = centred * weights * unbiasing(kish(weights))
    names = [f"{benchmark}/{block}" for block in range(len(weights))]
    draws = multipliers(hash_names(names), replicates, seed + QUERIES)
    deviations: np.ndarray = (draws.T.astype(np.float64) @ pulls.T).astype(np.float32)
    return deviations


def interaction_variance(groups: Groups, blocks: np.ndarray, weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the part of the variance of each bin's mean that documents and queries cause together.

    It is what both one-way variances hold: the sum over clusters and blocks of the squared doubly
    centred scores, weighted by (p w)^2, unbiased on both sides.

    Args:
        groups: The documents.
        blocks: Documents x blocks, in sorted order.
        weights: Of the blocks.
        means: Bins x blocks, as in :func:`query_deviations`.

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
    """Return deviations from means, 0 where they are the rounding of sums of equal values.

    Standardised by their own spread, the last digits of a constant score would look like structure.

    Args:
        deviations: Rows x columns.
        values: Rows x columns, from which the means were taken; NaN where there are none.
    """
    most = np.nan_to_num(np.abs(values)).max(axis=0, initial=0)
    return np.where(np.abs(deviations) <= ROUNDING * most, 0, deviations)


def kish(weights: np.ndarray) -> np.ndarray:
    """Return the effective number of blocks of some weights that sum to 1, as an array without axes."""
    return np.asarray(1 / (weights**2).sum())


def unbiasing(ess: np.ndarray) -> np.ndarray:
    """Return sqrt(ess / (ess - 1)), which makes the variance of a mean unbiased; 0 where ess is 1 or less."""
    there = ess > 1 + 1e-9
    return np.asarray(np.sqrt(np.divide(ess, ess - 1, out=np.zeros_like(ess, dtype=float), where=there)))
