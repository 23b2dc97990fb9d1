"""Dependence of the correlation of two maps on a single bin."""

from __future__ import annotations

from typing import Any

import numpy as np

from social_provenance.regions.grid import BINS

LEAVE_ONE_BIN_OUT = (
    "leave_one_bin_out_min",
    "leave_one_bin_out_max",
    "extreme_topic",
    "extreme_format",
    "without_extreme",
)

FLAT = 1e-9
"""Share of a map's sum of squares below which it counts as constant without a bin."""


def correlations_without(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Pearson's r of two maps without each of their bins.

    Leaving out one of n pairs reduces a sum of products by n / (n - 1) times the product of its deviations
    from the means of all, so no sum is recomputed.

    Args:
        one: Values of the bins, NaN where missing.
        other: The same bins of another map.

    Returns:
        r over the other bins, for each bin; NaN for bins that are not in both maps, and where r does not
        exist: fewer than three bins, or a map that is constant without the bin.
    """
    both = np.isfinite(one) & np.isfinite(other)
    result = np.full(one.shape, np.nan)
    n = int(both.sum())
    if n < 3:
        return result
    left, right = one[both] - one[both].mean(), other[both] - other[both].mean()
    products, squares, others = (
        (a * b).sum() - n / (n - 1) * a * b for a, b in ((left, right), (left, left), (right, right))
    )
    exists = (squares > FLAT * (left**2).sum()) & (others > FLAT * (right**2).sum())
    # Where a map is constant without the bin, rounding can make the sum slightly negative.
    norm = np.sqrt(np.where(exists, squares * others, 1.0))
    result[both] = np.where(exists, np.clip(products / norm, -1, 1), np.nan)
    return result


def extreme_bin(one: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Return the range of Pearson's r with one bin left out, and the bin with the largest effect on it.

    Args:
        one: Values of all 576 bins in the order of the grid, NaN where missing.
        other: The same of another map.

    Returns:
        :data:`CARRIED`: the extremes of r with one bin left out, the topic and format of the bin
        without which r changes the most, and r without it; None where r does not exist.
    """
    one, other = one.reshape(-1), other.reshape(-1)
    without = correlations_without(one, other)
    both = np.isfinite(one) & np.isfinite(other)
    if not np.isfinite(without).any():
        return dict.fromkeys(LEAVE_ONE_BIN_OUT)
    r = np.corrcoef(one[both], other[both])[0, 1]
    extreme = int(np.nanargmax(np.abs(without - r)))
    values = (np.nanmin(without), np.nanmax(without), *BINS[extreme], without[extreme])
    return dict(zip(LEAVE_ONE_BIN_OUT, values, strict=True))
