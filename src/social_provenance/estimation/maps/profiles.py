"""Profiles of influence over bins, topics and formats: similarity between benchmarks, and reliability."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.halves import finite_correlation, split_half_reliability
from social_provenance.estimation.bootstrap.uncertainty import percentile_interval
from social_provenance.estimation.maps.influence import PROFILES, columns_by_method

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.estimation.maps.influence import Influence

NEARLY_ONE = 1 - 1e-9


def profile_similarity(influence: Influence) -> pd.DataFrame:
    """Correlate the profiles of every two benchmarks under each method.

    The interval is computed in Fisher's z, where the deviations of the replicates from their own median
    are placed around the estimate: replicates contain the noise of the sample and of the bootstrap, so
    their correlations are too small on average.

    Returns:
        ``method``, ``axis`` (``bin``, ``topic``, ``format``), ``benchmark``, ``other``, ``n`` (labels
        with documents), ``n_documents``, ``ess``, ``correlation``, ``ci_low``, ``ci_high``; null where
        a profile is constant or has fewer than three labels.
    """
    import pandas as pd

    rows = []
    for axis in PROFILES:
        values = influence.profile(axis)
        filled = np.isfinite(values).all(axis=1)
        deviations = influence.deviations(axis).deviations()[:, filled]
        has_interval = bool((~influence.without_interval(axis)[filled]).any())
        for method, columns_of_method in columns_by_method(influence.columns).items():
            replicates = _correlations(values[filled][:, columns_of_method] + deviations[..., columns_of_method])
            for one, other in combinations(range(len(columns_of_method)), 2):
                left, right = columns_of_method[one], columns_of_method[other]
                r = finite_correlation(values[:, left], values[:, right])
                low, high = (
                    _around(r, replicates[:, one, other], influence.confidence) if has_interval else (np.nan, np.nan)
                )
                names = {"benchmark": influence.columns[left][0], "other": influence.columns[right][0]}
                estimate = {"correlation": r, "ci_low": low, "ci_high": high}
                rows.append(
                    {
                        "method": method,
                        "axis": axis,
                        **names,
                        "n": int(filled.sum()),
                        **influence.total_sizes(),
                        **estimate,
                    }
                )
    columns = ["method", "axis", "benchmark", "other", "n", "n_documents", "ess", "correlation", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def profile_reliability(influence: Influence) -> pd.DataFrame:
    """Return the reliability of the profile of each benchmark and method, over documents and over queries.

    Returns:
        ``benchmark``, ``method``, ``axis``, ``n`` (labels with documents), ``n_documents``, ``ess``,
        ``documents``, ``queries`` (:func:`social_provenance.estimation.bootstrap.halves.split_half_reliability`).
    """
    import pandas as pd

    rows = []
    for axis in PROFILES:
        count = int(np.isfinite(influence.profile(axis)).all(axis=1).sum())
        by_side = {side: split_half_reliability(influence.profile_halves(side, axis)) for side in influence.halves}
        for index, (benchmark, method) in enumerate(influence.columns):
            reliabilities = {side: values[index] for side, values in by_side.items()}
            names = {"benchmark": benchmark, "method": method, "axis": axis}
            rows.append({**names, "n": count, **influence.total_sizes(), **reliabilities})
    return pd.DataFrame(rows)


def _correlations(profiles: np.ndarray) -> np.ndarray:
    """Return correlations over labels, shape (replicates, columns, columns); NaN where a profile is constant."""
    if profiles.shape[1] < 3:
        return np.full((len(profiles), profiles.shape[2], profiles.shape[2]), np.nan)
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.divide(centred, length, out=np.full_like(centred, np.nan), where=length > 0)
    return np.asarray(np.matmul(unit.transpose(0, 2, 1), unit))


def _around(r: float, replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    if not np.isfinite(r) or not np.isfinite(replicates).all():
        return np.nan, np.nan
    fisher = np.arctanh(np.clip(replicates, -NEARLY_ONE, NEARLY_ONE))
    low, high = percentile_interval(fisher - np.median(fisher), confidence)
    centre = np.arctanh(np.clip(r, -NEARLY_ONE, NEARLY_ONE))
    return float(min(np.tanh(centre + low), r)), float(max(np.tanh(centre + high), r))
