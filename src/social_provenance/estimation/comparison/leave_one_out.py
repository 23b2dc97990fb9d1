"""How far one bin carries the correlation of two maps."""

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
"""What may be left of a map's sum of squares for it to count as constant without a bin."""


def correlations_without(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Pearson's r of two maps without each of their bins.

    Leaving out one of n pairs takes n / (n - 1) times the product of its deviations from the means of
    all off a sum of products, so no sum is made anew.

    Args:
        one: Values of the bins, NaN where there are none.
        other: The same bins of another map.

    Returns:
        For each bin r over the others; NaN for bins that are not in both maps, and where r does not
        exist: fewer than three bins, or a map that is constant without the bin.
    """
    there = np.isfinite(one) & np.isfinite(other)
    result = np.full(one.shape, np.nan)
    n = int(there.sum())
    if n < 3:
        return result
    left, right = one[there] - one[there].mean(), other[there] - other[there].mean()
    products, squares, others = (
        (a * b).sum() - n / (n - 1) * a * b for a, b in ((left, right), (left, left), (right, right))
    )
    exists = (squares > FLAT * (left**2).sum()) & (others > FLAT * (right**2).sum())
    # Rounding leaves a hair of a negative sum where a map is constant without the bin.
    norm = np.sqrt(np.where(exists, squares * others, 1.0))
    result[there] = np.where(exists, np.clip(products / norm, -1, 1), np.nan)
    return result


def extreme_bin(one: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Return the range of Pearson's r with one bin left out, and the bin that moves it the most.

    Args:
        one: The values of all 576 bins in the order of the grid, NaN where there are none.
        other: The same of another map.

    Returns:
        :data:`CARRIED`: the extremes of r with one bin left out, the topic and format of the bin
        without which r moves the most, and r without it; None where there is no such r.
    """
    one, other = one.reshape(-1), other.reshape(-1)
    without = correlations_without(one, other)
    there = np.isfinite(one) & np.isfinite(other)
    if not np.isfinite(without).any():
        return dict.fromkeys(LEAVE_ONE_BIN_OUT)
    whole = np.corrcoef(one[there], other[there])[0, 1]
    place = int(np.nanargmax(np.abs(without - whole)))
    values = (np.nanmin(without), np.nanmax(without), *BINS[place], without[place])
    return dict(zip(LEAVE_ONE_BIN_OUT, values, strict=True))
