"""Strength of the topic contrasts: do topics differ more in social minus STEM at the reasoning level?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.halves import split_half_reliability
from social_provenance.estimation.bootstrap.uncertainty import percentile_interval
from social_provenance.estimation.maps.contrasts import contrast_design

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.capabilities.benchmark import Evaluation
    from social_provenance.estimation.maps.influence import Influence

PERMUTATIONS = 9999
"""Number of random exchanges of the levels; the smallest p is 1 / 10,000."""
KINDS = ("reasoning", "knowledge")
COLUMNS = [
    "method",
    "n_topics",
    "n_documents",
    "ess",
    *(f"{kind}{ending}" for kind in KINDS for ending in ("", "_low", "_high")),
    *(f"{kind}_reliability_{side}" for kind in KINDS for side in ("documents", "queries")),
    "difference",
    "ci_low",
    "ci_high",
    "p",
]


def contrast_strength(influence: Influence, evaluation: Evaluation, seed: int) -> pd.DataFrame:
    """Compare the strength of the topic contrasts of the two levels.

    The strength of a level is the standard deviation, over topics, of social minus STEM, corrected for
    noise: sqrt(max(0, variance over topics - mean over replicates of the variance over topics of the
    deviations)). A replicate contains the noise twice, once in the estimate and once in its deviation, so
    twice its variance is subtracted there.

    p is two-sided, of the hypothesis that the levels can be exchanged topic by topic: the contrasts of
    a topic, and the noise in them, change places in half of the topics at random, and p = (1 +
    exchanges whose difference is at least as far from 0) / (1 + exchanges).

    Args:
        influence: Influence of topics.
        evaluation: Domain and level of each benchmark.
        seed: Seed of the exchanges.

    Returns:
        One row per method; none unless both levels have benchmarks in both domains. Topics without
        documents do not count. With fewer than three topics all but the counts is null.
    """
    import pandas as pd

    design = contrast_design(influence.columns, evaluation)
    methods = [method for kind, method in design.names if kind == "knowledge" and ("reasoning", method) in design.names]
    values = influence.profile("topic") @ design.weights
    deviations = influence.deviations("topic").over_columns(design.weights).deviations()
    reliabilities = {
        side: split_half_reliability(influence.profile_halves(side, "topic") @ design.weights)
        for side in influence.halves
    }
    sizes = influence.total_sizes()
    rows = []
    for method in methods:
        pair = [design.names.index((kind, method)) for kind in KINDS]
        row = {
            "method": method,
            **sizes,
            **_compare(values[:, pair], deviations[..., pair], influence.confidence, seed),
        }
        for index, kind in zip(pair, KINDS, strict=True):
            row |= {f"{kind}_reliability_{side}": reliabilities[side][index] for side in reliabilities}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def excess_sd(variance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the standard deviation in excess of noise: sqrt(max(0, variance - noise))."""
    root: np.ndarray = np.sqrt(np.maximum(variance - noise, 0))
    return root


def exchange_p(values: np.ndarray, noise: np.ndarray, seed: int, permutations: int = PERMUTATIONS) -> float:
    """Return the two-sided p of the difference of strengths when levels are exchanged topic by topic.

    Args:
        values: Contrast at either level, shape (topics, 2).
        noise: Its variance, same shape, scaled such that the noise of a level is the mean over topics.
        seed: Seed of the exchanges.
        permutations: Number of exchanges.
    """
    swap = np.random.default_rng(seed).random((permutations, len(values))) < 0.5
    first, second = (np.where(swap, values[:, 1 - level], values[:, level]) for level in (0, 1))
    first_noise, second_noise = (np.where(swap, noise[:, 1 - level], noise[:, level]).mean(axis=1) for level in (0, 1))
    null = excess_sd(first.var(axis=1, ddof=1), first_noise) - excess_sd(second.var(axis=1, ddof=1), second_noise)
    observed = np.subtract(*excess_sd(values.var(axis=0, ddof=1), noise.mean(axis=0)))
    return float((1 + (np.abs(null) >= abs(observed) - 1e-12).sum()) / (1 + permutations))


def _compare(values: np.ndarray, deviations: np.ndarray, confidence: float, seed: int) -> dict[str, float]:
    """Compare two contrasts, given values of shape (topics, 2) and deviations (replicates, topics, 2)."""
    filled = np.isfinite(values).all(axis=1)
    values, deviations = values[filled], deviations[:, filled].astype(float)
    row: dict[str, float] = {"n_topics": len(values)}
    if len(values) < 3:
        return row
    # Each topic's part of the variance over topics: what all topics share does not count as noise.
    centred = deviations - deviations.mean(axis=1, keepdims=True)
    noise = (centred**2).mean(axis=0) * len(values) / (len(values) - 1)
    estimates = excess_sd(values.var(axis=0, ddof=1), noise.mean(axis=0))
    replicates = excess_sd((values + deviations).var(axis=1, ddof=1), 2 * noise.mean(axis=0))
    low, high = percentile_interval(replicates, confidence)
    for index, kind in enumerate(KINDS):
        row |= {kind: estimates[index], f"{kind}_low": low[index], f"{kind}_high": high[index]}
    bounds = percentile_interval(replicates[:, 0] - replicates[:, 1], confidence)
    return row | {
        "difference": estimates[0] - estimates[1],
        "ci_low": float(bounds[0]),
        "ci_high": float(bounds[1]),
        "p": exchange_p(values, noise, seed),
    }
