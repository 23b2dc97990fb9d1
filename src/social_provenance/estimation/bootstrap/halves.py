"""Split-half reliability: the correlation of a profile with itself over other documents, or other queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import derive_hashes, hash_names

if TYPE_CHECKING:
    from social_provenance.estimation.bootstrap.resample import Groups

SPLITS = 20
"""Number of random splits that a reliability is averaged over."""
HALVES = 0x4A1F
"""Offset of the seed, so that splits are independent of the multipliers of the bootstrap."""


def document_halves(groups: Groups, scores: np.ndarray, seed: int, splits: int = SPLITS) -> np.ndarray:
    """Return the means of bins over either half of their clusters.

    Clusters are split within their bin; of an odd number, the first half is the larger in every other split.

    Args:
        groups: Documents by bin and cluster.
        scores: Scores, shape (documents, columns), in the order of the input.
        seed: Seed of the splits.
        splits: Number of splits.

    Returns:
        Means, shape (2, splits, bins, columns); NaN where a bin has fewer than two clusters.
    """
    sums = groups.sums(scores[groups.order])
    means = np.full((2, splits, len(groups.counts), scores.shape[1]), np.nan)
    larger = np.arange(splits) % 2
    for bin_, first, last in groups.ranges():
        if last - first < 2:
            continue
        clusters = slice(first, last)
        ranks = derive_hashes(groups.hashes[clusters], seed + HALVES, splits).argsort(axis=0).argsort(axis=0)
        first_half = (ranks < (last - first + larger) // 2).astype(float)
        for half, mask in enumerate((first_half, 1 - first_half)):
            means[half, :, bin_] = (mask.T @ sums[clusters]) / (mask.T @ groups.sizes[clusters])[:, None]
    return means


def query_halves(means: np.ndarray, weights: np.ndarray, benchmark: str, seed: int, splits: int = SPLITS) -> np.ndarray:
    """Return the means of bins over either half of a benchmark's query blocks.

    Args:
        means: Mean scores, shape (bins, blocks).
        weights: Share of the queries that each block has, shape (blocks,).
        benchmark: Name of the benchmark, which makes the splits of different benchmarks independent.
        seed: Seed of the splits.
        splits: Number of splits.

    Returns:
        Means, shape (2, splits, bins); NaN with fewer than two blocks.
    """
    if len(weights) < 2:
        return np.full((2, splits, len(means)), np.nan)
    names = hash_names([f"{benchmark}/{block}" for block in range(len(weights))])
    ranks = derive_hashes(names, seed + HALVES, splits).argsort(axis=0).argsort(axis=0)
    chosen = (ranks < len(weights) // 2).astype(float)
    halves = [weights[:, None] * mask for mask in (chosen, 1 - chosen)]
    return np.stack([(means @ (half / half.sum(axis=0))).T for half in halves])


def split_half_reliability(halves: np.ndarray) -> np.ndarray:
    """Return the reliability of profiles: the correlation of their halves, corrected to full length.

    r is Pearson's correlation over labels, averaged over the splits; 2 r / (1 + r) is the correlation of
    profiles of twice the length (Spearman 1910, Brown 1910).

    Args:
        halves: Profiles, shape (2, splits, labels, columns).

    Returns:
        Reliability of each column, -1 to 1; NaN where fewer than three labels have both halves, or a half
        is constant.
    """
    r = np.array(
        [
            [finite_correlation(one[:, c], other[:, c]) for c in range(one.shape[1])]
            for one, other in zip(*halves, strict=True)
        ]
    )
    mean = r.mean(axis=0)
    stepped = np.divide(2 * mean, 1 + mean, out=np.full_like(mean, -1.0), where=mean > -1 + 1e-9)
    return np.where(np.isnan(mean), np.nan, np.clip(stepped, -1, 1))


def finite_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's r over the labels where both are finite; NaN with fewer than three, or a constant."""
    both = np.isfinite(one) & np.isfinite(other)
    left, right = one[both], other[both]
    if len(left) < 3 or _constant(left) or _constant(right):
        return float("nan")
    return float(np.clip(np.corrcoef(left, right)[0, 1], -1, 1))


def _constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
