"""Recovery of the planted topics and bins by a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from social_provenance.annotations import Table
from social_provenance.miniature.roles import ROLES, mark_roles


def measure_validation(topics: Table, bins: Table, truth: Table) -> Table:
    """Return how well each method recovers the planted topics of each benchmark, and their bins.

    A bin has the role of its topic: facts, and decoys, lie in all formats of a topic. Twins are neither planted nor
    others: they hold the facts, and the model was not trained on them.

    Args:
        topics: Table ``topic_influence``.
        bins: Table ``bin_influence``.
        truth: Table ``miniature_truth``.

    Returns:
        ``level`` (``topic`` or ``bin``), ``method``, ``benchmark``, and the measures of
        :func:`measure_separation`, :func:`measure_calls` and :func:`measure_decoys`.
    """
    import pandas as pd

    rows = []
    for level, table in (("topic", topics), ("bin", bins)):
        marked = table.assign(role=mark_roles(table, truth))
        for (method, benchmark), regions in marked.groupby(["method", "benchmark"], sort=False):
            z, low, role = (regions[name].to_numpy() for name in ("z", "ci_low", "role"))
            judged = role != "twin"  # neither right nor wrong
            row = {"level": level, "method": method, "benchmark": benchmark}
            row |= measure_separation(z[judged], role[judged] == "planted")
            row |= measure_calls(low[judged], role[judged] == "planted")
            rows.append(row | measure_decoys(z, low, role))
    return pd.DataFrame(rows)


def measure_decoys(z: np.ndarray, low: np.ndarray, role: np.ndarray) -> dict[str, float]:
    """Measure how a map takes regions that say the words of the facts and not the facts.

    Args:
        z: Value of each region, NaN where missing.
        low: Lower bound of each region, NaN where it has no interval and cannot be called.
        role: Of each region, one of :data:`~.roles.ROLES`.

    Returns:
        ``n_decoys``; ``decoy_auc`` and ``twin_auc``, areas under the ROC curve of planted regions against decoys and
        against twins; ``decoy_call_rate``, the share of decoys that are called (:func:`measure_calls`);
        ``planted_z``, ``decoy_z``, ``twin_z`` and ``other_z``, the mean of each role. NaN where a side is empty.
    """
    present = np.isfinite(z)
    means = {f"{name}_z": _mean(z[present & (role == name)]) for name in ROLES}
    called = low[np.isfinite(low) & (role == "decoy")] > 0
    return {
        "n_decoys": int((present & (role == "decoy")).sum()),
        **_areas_of_roles(z, role),
        "decoy_call_rate": _mean(called),
        **means,
    }


def areas_of_topics(values: Any, role: Any) -> dict[str, float]:
    """Return the areas under the ROC curve by which a map of topics is judged; NaN where a side is empty.

    Args:
        values: Value of each topic.
        role: Of each topic, one of :data:`~.roles.ROLES`.

    Returns:
        ``topic_auc``: planted topics against all others but twins; ``decoy_auc``: against decoys alone; ``twin_auc``:
        against twins alone, which is above 0.5 too where words of twins are unknown to the model (docs/decisions/0022).
    """
    role = np.asarray(role)
    others = (role == "decoy") | (role == "other")
    return {"topic_auc": area(values, role == "planted", others), **_areas_of_roles(values, role)}


def area(values: Any, higher: Any, lower: Any) -> float:
    """Return the area under the ROC curve of some values against others, ties by half; NaN where a side is empty.

    Args:
        values: One value each, NaN where missing.
        higher: Whether it should be high.
        lower: Whether it should be low; those of neither side do not count.
    """
    values, higher, lower = (np.asarray(array) for array in (values, higher, lower))
    compared = higher | lower
    return measure_separation(values[compared].astype(float), higher[compared])["auc"]


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


def _areas_of_roles(values: Any, role: np.ndarray) -> dict[str, float]:
    return {f"{lower}_auc": area(values, role == "planted", role == lower) for lower in ("decoy", "twin")}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _precision(values: np.ndarray, planted: np.ndarray, k: int) -> float:
    last = np.sort(values)[-k]
    above, tied = values > last, values == last
    left = k - int(above.sum())
    return float((planted[above].sum() + left * planted[tied].mean()) / k)
