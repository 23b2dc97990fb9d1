"""Profiles of influence over bins, topics and formats: how alike those of two benchmarks are, and how reliable."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.halves import finite_correlation, split_half_reliability
from social_provenance.estimation.bootstrap.uncertainty import percentile_interval
from social_provenance.estimation.maps.influence import LEVELS, columns_by_method

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.estimation.maps.influence import Influence

NEARLY_ONE = 1 - 1e-9


def profile_similarity(influence: Influence) -> pd.DataFrame:
    """Correlate the profiles of every two benchmarks under each method.

    The interval is made in Fisher's scale, where the deviations of the replicates from their own median
    are put around the correlation found: replicates hold the noise of the sample and of the draw, so
    their correlations are on the whole too small.

    Returns:
        ``method``, ``axis`` (``bin``, ``topic``, ``format``), ``benchmark``, ``other``, ``n`` (labels
        with documents), ``n_documents``, ``ess``, ``correlation``, ``ci_low``, ``ci_high``; null where
        a profile is constant or has fewer than three labels.
    """
    import pandas as pd

    rows = []
    for level in LEVELS:
        values = influence.profile(level)
        there = np.isfinite(values).all(axis=1)
        deviations = influence.deviations(level).deviations()[:, there]
        told = bool((~influence.without_interval(level)[there]).any())
        for method, own in columns_by_method(influence.columns).items():
            again = _correlations(values[there][:, own] + deviations[..., own])
            for one, other in combinations(range(len(own)), 2):
                left, right = own[one], own[other]
                r = finite_correlation(values[:, left], values[:, right])
                low, high = _around(r, again[:, one, other], influence.confidence) if told else (np.nan, np.nan)
                names = {"benchmark": influence.columns[left][0], "other": influence.columns[right][0]}
                found = {"correlation": r, "ci_low": low, "ci_high": high}
                rows.append(
                    {
                        "method": method,
                        "axis": level,
                        **names,
                        "n": int(there.sum()),
                        **influence.total_sizes(),
                        **found,
                    }
                )
    columns = ["method", "axis", "benchmark", "other", "n", "n_documents", "ess", "correlation", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def profile_reliability(influence: Influence) -> pd.DataFrame:
    """Return how reliable the profile of each benchmark and method is over documents and over queries.

    Returns:
        ``benchmark``, ``method``, ``axis``, ``n`` (labels with documents), ``n_documents``, ``ess``,
        ``documents``, ``queries`` (:func:`social_provenance.estimation.bootstrap.halves.split_half_reliability`).
    """
    import pandas as pd

    rows = []
    for level in LEVELS:
        count = int(np.isfinite(influence.profile(level)).all(axis=1).sum())
        steady = {side: split_half_reliability(influence.profile_halves(side, level)) for side in influence.halves}
        for place, (benchmark, method) in enumerate(influence.columns):
            found = {side: values[place] for side, values in steady.items()}
            names = {"benchmark": benchmark, "method": method, "axis": level}
            rows.append({**names, "n": count, **influence.total_sizes(), **found})
    return pd.DataFrame(rows)


def _correlations(profiles: np.ndarray) -> np.ndarray:
    """Return replicates x columns x columns: correlations over labels; NaN where a profile is constant."""
    if profiles.shape[1] < 3:
        return np.full((len(profiles), profiles.shape[2], profiles.shape[2]), np.nan)
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.divide(centred, length, out=np.full_like(centred, np.nan), where=length > 0)
    return np.asarray(np.matmul(unit.transpose(0, 2, 1), unit))


def _around(r: float, replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    if not np.isfinite(r) or not np.isfinite(replicates).all():
        return np.nan, np.nan
    scale = np.arctanh(np.clip(replicates, -NEARLY_ONE, NEARLY_ONE))
    low, high = percentile_interval(scale - np.median(scale), confidence)
    at = np.arctanh(np.clip(r, -NEARLY_ONE, NEARLY_ONE))
    return float(min(np.tanh(at + low), r)), float(max(np.tanh(at + high), r))
