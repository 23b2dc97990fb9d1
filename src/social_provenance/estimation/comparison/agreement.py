"""Agreement of two bin maps: of two renderings, methods or checkpoints.

All measures are over the bins that have documents in both maps, and none depends on the unit of a map:
potency and ``z`` give the same values.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

TOP = 20
"""Number of highest bins that are compared."""

AGREEMENTS = (
    "bin_correlation",
    "bin_rank_correlation",
    "topic_correlation",
    "topic_rank_correlation",
    "shared_top_bins",
)
"""Measures that are 1 where two maps are equal."""
MEASURES = (*AGREEMENTS, "n_bins")


def compare_pairs(maps: pd.DataFrame, of: str, within: Sequence[str]) -> pd.DataFrame:
    """Compare every two maps that share the values of ``within``.

    Args:
        maps: Bins with their ``topic``, ``format`` and ``potency`` (NaN without documents); the columns ``of``
            and ``within`` name the map of each.
        of: Column whose values are compared with each other, such as ``method``.
        within: Columns whose values compared maps share, such as ``benchmark``.

    Returns:
        The columns ``within``, ``of``, ``other``, and what :func:`agreement` measures: one row for
        each pair, in the order in which the maps come.
    """
    import pandas as pd

    rows = []
    for shared, group in maps.groupby(list(within), sort=False):
        grids = {str(name): _grid(bins) for name, bins in group.groupby(of, sort=False)}
        for one, other in combinations(grids, 2):
            names = dict(zip(within, shared, strict=True))
            rows.append({**names, of: one, "other": other, **agreement(grids[one], grids[other])})
    return pd.DataFrame(rows, columns=[*within, of, "other", *MEASURES])


def agreement(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return the agreement of two maps.

    - ``bin_correlation``: Pearson's r over bins.
    - ``bin_rank_correlation``: Spearman's rho over bins, ties by their mean rank.
    - ``topic_correlation``: Pearson's r over topics, a topic being the unweighted mean of its bins.
    - ``topic_rank_correlation``: Spearman's rho over topics.
    - ``shared_top_bins``: of the 20 highest bins of one map, the share that is among the 20 highest of
      the other, 0 to 1; ties go to the bin that comes first in the grid. With b bins, two
      independent maps share 20 / b on average; with 20 bins or fewer all are shared.
    - ``n_bins``: the bins that have documents in both maps, over which all of this is measured.

    Args:
        one: Value of each bin, shape (topics, formats); NaN without documents.
        other: The other map, same shape.

    Returns:
        Measure -> value. NaN where a correlation does not exist, because a map is constant or there
        are fewer than two bins (or topics); all but the number of bins are NaN where no bin has documents
        in both.
    """
    both = np.isfinite(one) & np.isfinite(other)
    left, right = one[both], other[both]
    topics = both.any(axis=1)
    means = [np.where(both, grid, 0).sum(axis=1)[topics] / both.sum(axis=1)[topics] for grid in (one, other)]
    values = (
        pearson(left, right),
        spearman(left, right),
        pearson(*means),
        spearman(*means),
        _shared(left, right),
        int(both.sum()),
    )
    return dict(zip(MEASURES, values, strict=True))


def _grid(bins: pd.DataFrame) -> np.ndarray:
    """Return the potency of a map's bins, shape (topics, formats)."""
    grid: np.ndarray = bins.set_index(["topic", "format"])["potency"].reindex(list(BINS)).to_numpy(float)
    return grid.reshape(len(TOPICS), len(FORMATS))


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's r; NaN with fewer than two values, or where one side is constant."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.clip(np.corrcoef(one, other)[0, 1], -1, 1))


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rho, ties by their mean rank; NaN where r of the ranks is."""
    import pandas as pd

    return pearson(pd.Series(one).rank().to_numpy(), pd.Series(other).rank().to_numpy())


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    if not len(one):
        return float("nan")
    highest = [set(np.argsort(-values, kind="stable")[:TOP].tolist()) for values in (one, other)]
    return len(highest[0] & highest[1]) / len(highest[0])
