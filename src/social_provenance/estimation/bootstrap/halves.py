"""Split-half reliability: how well a profile agrees with itself on other documents, or other queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import derive_hashes, hash_names

if TYPE_CHECKING:
    from social_provenance.estimation.bootstrap.resample import Groups

SPLITS = 20
"""Random splits that a reliability is averaged over."""
HALVES = 0x4A1F
"""Added to the seed, so that a split does not follow the bootstrap's draws."""


def document_halves(groups: Groups, scores: np.ndarray, seed: int, splits: int = SPLITS) -> np.ndarray:
    """Return the means of bins over either half of their clusters.

    Clusters are split within their bin; of an odd number the larger part is the first half in every
    other split.

    Args:
        groups: The documents.
        scores: Documents x columns, in the order of the input.
        seed: Of the splits.
        splits: Number of splits.

    Returns:
        2 x splits x bins x columns; NaN where a bin has fewer than two clusters.
    """
    sums = groups.sums(scores[groups.order])
    out = np.full((2, splits, len(groups.counts), scores.shape[1]), np.nan)
    larger = np.arange(splits) % 2
    for bin_, first, last in groups.ranges():
        if last - first < 2:
            continue
        part = slice(first, last)
        ranks = derive_hashes(groups.hashes[part], seed + HALVES, splits).argsort(axis=0).argsort(axis=0)
        chosen = (ranks < (last - first + larger) // 2).astype(float)
        for half, mask in enumerate((chosen, 1 - chosen)):
            out[half, :, bin_] = (mask.T @ sums[part]) / (mask.T @ groups.sizes[part])[:, None]
    return out


def query_halves(means: np.ndarray, weights: np.ndarray, benchmark: str, seed: int, splits: int = SPLITS) -> np.ndarray:
    """Return the means of bins over either half of a benchmark's query blocks.

    Args:
        means: Bins x blocks.
        weights: Of the blocks.
        benchmark: Whose blocks.
        seed: Of the splits.
        splits: Number of splits.

    Returns:
        2 x splits x bins; NaN with fewer than two blocks.
    """
    if len(weights) < 2:
        return np.full((2, splits, len(means)), np.nan)
    names = hash_names([f"{benchmark}/{block}" for block in range(len(weights))])
    ranks = derive_hashes(names, seed + HALVES, splits).argsort(axis=0).argsort(axis=0)
    chosen = (ranks < len(weights) // 2).astype(float)
    halves = [weights[:, None] * mask for mask in (chosen, 1 - chosen)]
    return np.stack([(means @ (half / half.sum(axis=0))).T for half in halves])


def split_half_reliability(halves: np.ndarray) -> np.ndarray:
    """Return the reliability of profiles, each the correlation of its halves, stepped up to full length.

    r is Pearson's correlation over labels, averaged over the splits; 2 r / (1 + r) is what a profile of
    twice the length would have (Spearman 1910, Brown 1910).

    Args:
        halves: 2 x splits x labels x columns.

    Returns:
        Of each column, -1 to 1; NaN where fewer than three labels have both halves, or a half is constant.
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
    """Return Pearson's r over the places where both are numbers; NaN with fewer than three, or a constant."""
    there = np.isfinite(one) & np.isfinite(other)
    left, right = one[there], other[there]
    if len(left) < 3 or _constant(left) or _constant(right):
        return float("nan")
    return float(np.clip(np.corrcoef(left, right)[0, 1], -1, 1))


def _constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
