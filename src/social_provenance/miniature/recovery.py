"""Recovery of the planted topics and bins by a map."""

from __future__ import annotations

import numpy as np

from social_provenance.annotations import Table
from social_provenance.miniature.planted import planted_benchmarks


def measure_validation(topics: Table, bins: Table, truth: Table) -> Table:
    """Return how well each method recovers the planted topics of each benchmark, and their bins.

    A bin is planted if its topic is: facts lie in all formats of a planted topic.

    Args:
        topics: Table ``topic_influence``.
        bins: Table ``bin_influence``.
        truth: Table ``miniature_truth``.

    Returns:
        ``level`` (``topic`` or ``bin``), ``method``, ``benchmark``, and the measures of
        :func:`measure_separation` and :func:`measure_calls`.
    """
    import pandas as pd

    planted_for = planted_benchmarks(truth)
    rows = []
    for level, table in (("topic", topics), ("bin", bins)):
        for (method, benchmark), regions in table.groupby(["method", "benchmark"], sort=False):
            planted = (regions["topic"].map(planted_for) == benchmark).to_numpy()
            row = {"level": level, "method": method, "benchmark": benchmark}
            row |= measure_separation(regions["z"].to_numpy(float), planted)
            rows.append(row | measure_calls(regions["ci_low"].to_numpy(float), planted))
    return pd.DataFrame(rows)


def measure_separation(values: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    """Measure how well planted regions are ranked above the others; regions without a value do not count.

    - ``auc``: area under the ROC curve, ties by half; 0.5 is chance.
    - ``precision_at_k``: share of planted regions among the k highest, k being their number; of
      regions that tie for the last places the mean over all ways to choose.
    - ``rank_correlation``: Spearman's rho with planted (1) or not (0), ties by their mean rank. With
      few planted regions it stays below 1 also where ``auc`` is 1.

    Args:
        values: Value of each region, NaN where missing.
        planted: Whether it is planted.

    Returns:
        Those, with ``n_regions`` and ``n_planted``. NaN where nothing is planted, or everything.
    """
    from scipy.stats import rankdata

    present = np.isfinite(values)
    values, planted = values[present], planted[present].astype(bool)
    count, positive = len(values), int(planted.sum())
    sizes: dict[str, float] = {"n_regions": count, "n_planted": positive}
    if not 0 < positive < count:
        return sizes | dict.fromkeys(("auc", "precision_at_k", "rank_correlation"), float("nan"))
    ranks = rankdata(values)
    area = (ranks[planted].sum() - positive * (positive + 1) / 2) / (positive * (count - positive))
    flat = np.ptp(ranks) == 0
    return sizes | {
        "auc": float(area),
        "precision_at_k": _precision(values, planted, positive),
        "rank_correlation": float("nan") if flat else float(np.corrcoef(ranks, planted)[0, 1]),
    }


def measure_calls(low: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    """Measure the share of regions that are called, that is, whose interval is above 0.

    Args:
        low: Lower bound of each region, NaN where it has no interval and cannot be called.
        planted: Whether it is planted.

    Returns:
        ``power``, the share of planted regions that are called, and ``false_positive_rate``, that of
        the others; NaN where there are none.
    """
    has_interval = np.isfinite(low)
    called, planted = low[has_interval] > 0, planted[has_interval].astype(bool)
    return {
        "power": float(called[planted].mean()) if planted.any() else float("nan"),
        "false_positive_rate": float(called[~planted].mean()) if (~planted).any() else float("nan"),
    }


def _precision(values: np.ndarray, planted: np.ndarray, k: int) -> float:
    last = np.sort(values)[-k]
    above, tied = values > last, values == last
    left = k - int(above.sum())
    return float((planted[above].sum() + left * planted[tied].mean()) / k)
