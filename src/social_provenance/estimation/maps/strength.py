"""Is the contrast of social and STEM sharper at the reasoning level than at the knowledge level?"""

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
"""Random exchanges of the levels; the smallest p is 1 / 10,000."""
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

    The strength of a level is the standard deviation, over topics, of social minus STEM, less what
    noise adds to it: sqrt(max(0, variance over topics - mean over replicates of the variance over
    topics of the deviations)). Noise is in a replicate twice, once in the estimate and once in its
    deviation, so twice its variance is taken off there.

    p is two-sided, of the hypothesis that the levels can be exchanged topic by topic: the contrasts of
    a topic, and the noise in them, change places in half of the topics at random, and p = (1 +
    exchanges whose difference is at least as far from 0) / (1 + exchanges).

    Args:
        influence: Whose topics.
        evaluation: Domain and level of each benchmark.
        seed: Of the exchanges.

    Returns:
        One row a method; none unless both levels have benchmarks in both domains. Topics without
        documents do not count. With fewer than three topics everything is null but the counts.
    """
    import pandas as pd

    plan = contrast_design(influence.columns, evaluation)
    methods = [method for kind, method in plan.names if kind == "knowledge" and ("reasoning", method) in plan.names]
    values = influence.profile("topic") @ plan.weights
    deviations = influence.deviations("topic").over_columns(plan.weights).deviations()
    steady = {
        side: split_half_reliability(influence.profile_halves(side, "topic") @ plan.weights)
        for side in influence.halves
    }
    whole = influence.total_sizes()
    rows = []
    for method in methods:
        own = [plan.names.index((kind, method)) for kind in KINDS]
        row = {"method": method, **whole, **_compare(values[:, own], deviations[..., own], influence.confidence, seed)}
        for place, kind in zip(own, KINDS, strict=True):
            row |= {f"{kind}_reliability_{side}": steady[side][place] for side in steady}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def excess_sd(variance: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return sqrt(variance - noise), 0 where noise is all."""
    root: np.ndarray = np.sqrt(np.maximum(variance - noise, 0))
    return root


def exchange_p(values: np.ndarray, noise: np.ndarray, seed: int, permutations: int = PERMUTATIONS) -> float:
    """Return the two-sided p of the difference of strengths when levels are exchanged topic by topic.

    Args:
        values: Topics x 2: contrast at either level.
        noise: Topics x 2: its variance, in such parts that a level's noise is their mean.
        seed: Of the exchanges.
        permutations: Number of exchanges.
    """
    swap = np.random.default_rng(seed).random((permutations, len(values))) < 0.5
    first, second = (np.where(swap, values[:, 1 - place], values[:, place]) for place in (0, 1))
    one, other = (np.where(swap, noise[:, 1 - place], noise[:, place]).mean(axis=1) for place in (0, 1))
    null = excess_sd(first.var(axis=1, ddof=1), one) - excess_sd(second.var(axis=1, ddof=1), other)
    found = np.subtract(*excess_sd(values.var(axis=0, ddof=1), noise.mean(axis=0)))
    return float((1 + (np.abs(null) >= abs(found) - 1e-12).sum()) / (1 + permutations))


def _compare(values: np.ndarray, deviations: np.ndarray, confidence: float, seed: int) -> dict[str, float]:
    """Compare two contrasts: topics x 2 and replicates x topics x 2."""
    there = np.isfinite(values).all(axis=1)
    values, deviations = values[there], deviations[:, there].astype(float)
    row: dict[str, float] = {"n_topics": len(values)}
    if len(values) < 3:
        return row
    # Each topic's part of the variance over topics, so that what all topics share is no noise.
    apart = deviations - deviations.mean(axis=1, keepdims=True)
    noise = (apart**2).mean(axis=0) * len(values) / (len(values) - 1)
    found = excess_sd(values.var(axis=0, ddof=1), noise.mean(axis=0))
    again = excess_sd((values + deviations).var(axis=1, ddof=1), 2 * noise.mean(axis=0))
    low, high = percentile_interval(again, confidence)
    for place, kind in enumerate(KINDS):
        row |= {kind: found[place], f"{kind}_low": low[place], f"{kind}_high": high[place]}
    bounds = percentile_interval(again[:, 0] - again[:, 1], confidence)
    return row | {
        "difference": found[0] - found[1],
        "ci_low": float(bounds[0]),
        "ci_high": float(bounds[1]),
        "p": exchange_p(values, noise, seed),
    }
