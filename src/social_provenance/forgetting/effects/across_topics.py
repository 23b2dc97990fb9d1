"""Tests over topics. The topic is the unit: its runs and items are repeated measurements, not further units."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.forgetting.vocabulary import ARMS, MEASURES, SPECIFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from social_provenance.forgetting.vocabulary import Measure

LEAST_TOPICS = 5
"""Topics below which no variance between topics is estimated: no mixed model."""
CONFIDENCE = 0.95
KEY = ("algorithm", "outcome", "reading")
UNIT = ("benchmark", "topic")
ACROSS_COLUMNS = (
    *KEY, "benchmark", "measure", "n_topics", "mean", "ci_low", "ci_high", "wilcoxon_p", "smallest_p", "rank_p",
    "smallest_rank_p", "mixed_mean", "mixed_low", "mixed_high", "mixed_p", "mixed_reason",
)  # fmt: skip


def across_topics(effects: pd.DataFrame, sets: pd.DataFrame) -> pd.DataFrame:
    """Test over topics, for each benchmark and for all together.

    Args:
        effects: Table ``unlearning_effects``; rows of the scope ``topic`` that have estimates count.
        sets: Table ``unlearning_sets``.

    Returns:
        One row per measure (``did`` first, then ``influence_minus_random``), algorithm, outcome, reading and
        benchmark (null: all of them, each topic of each benchmark being a unit): what :func:`topic_test`,
        :func:`rank_test` and :func:`mixed_model` return.
    """
    import pandas as pd

    rows = [row for measure in MEASURES for row in _tests(effects, sets, measure)]
    return pd.DataFrame(rows, columns=list(ACROSS_COLUMNS))


def _tests(effects: pd.DataFrame, sets: pd.DataFrame, measure: Measure) -> Iterator[dict[str, Any]]:
    topics = effects[(effects["scope"] == "topic") & effects[measure.value].notna()]
    differences = _against_each_set(sets, measure)
    for key, table in topics.groupby(list(KEY), sort=False):
        named = dict(zip(KEY, key, strict=True))
        of_sets = differences[(differences[list(KEY)] == list(key)).all(axis=1)]
        parts = [(str(name), part) for name, part in table.groupby("benchmark", sort=False)]
        for benchmark, part in [*parts, *([(None, table)] if len(parts) > 1 else [])]:
            of_benchmark = of_sets if benchmark is None else of_sets[of_sets["benchmark"] == benchmark]
            summed = topic_test(part[measure.value].to_numpy(float))
            summed |= rank_test(part[measure.p].to_numpy(float), part["n_random"].to_numpy(int))
            yield {**named, "benchmark": benchmark, "measure": measure.value, **summed, **mixed_model(of_benchmark)}


def topic_test(effects: np.ndarray) -> dict[str, Any]:
    """Return the mean of topic effects with its t interval, and the signed-rank test that they are negative.

    Args:
        effects: Effect of each topic, at least one, shape (topics,).

    Returns:
        ``n_topics``, ``mean``, ``ci_low``, ``ci_high`` (null for one topic), ``wilcoxon_p`` (exact where
        no two effects are equally far from 0; 1 where all are 0) and ``smallest_p`` = 2^-n.
    """
    from scipy import stats

    count, mean = len(effects), float(effects.mean())
    half = float("nan")
    if count > 1:
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * effects.std(ddof=1) / count**0.5)
    distances = np.abs(effects)
    exact = len(np.unique(distances)) == count and distances.min() > 0
    p = 1.0
    if distances.max() > 0:
        method = "exact" if exact else "auto"
        p = float(stats.wilcoxon(effects, alternative="less", method=method).pvalue)
    known = count > 1
    return {
        "n_topics": count,
        "mean": mean,
        "ci_low": mean - half if known else None,
        "ci_high": mean + half if known else None,
        "wilcoxon_p": p,
        "smallest_p": 0.5**count,
    }


def rank_test(p: np.ndarray, sets: np.ndarray) -> dict[str, Any]:
    """Combine the randomisation tests of topics by the sum of the ranks of their targeted sets.

    Under the null hypothesis each rank is uniform over 1 to sets + 1 and independent of the others, because
    random sets are drawn for each topic. Unlike the other tests here this one is about the tested topics only,
    not about a population of topics, so it needs few.

    Args:
        p: p of each topic's randomisation test, shape (topics,).
        sets: Number of random sets of each topic, shape (topics,).

    Returns:
        ``rank_p``, exact, and ``smallest_rank_p``, the smallest attainable one.
    """
    ranks = sets + 1
    total = int(np.rint(p * ranks).sum())
    law = np.ones(1)
    for count in ranks:
        law = np.convolve(law, np.full(count, 1 / count))
    # The first entry of the law is the smallest sum, one for each topic.
    return {"rank_p": float(min(law[: total - len(p) + 1].sum(), 1.0)), "smallest_rank_p": float(np.prod(1 / ranks))}


def mixed_model(differences: pd.DataFrame) -> dict[str, Any]:
    """Fit difference = mean + topic + rest by restricted maximum likelihood.

    Args:
        differences: ``benchmark``, ``topic``, ``difference``: the targeted set minus each random set; the
            topic has a random intercept.

    Returns:
        ``mixed_mean`` with a normal interval, ``mixed_low`` to ``mixed_high``, and two-sided ``mixed_p``; or
        nulls and ``mixed_reason``.
    """
    from scipy import stats
    from statsmodels.regression.mixed_linear_model import MixedLM

    codes = differences.groupby(list(UNIT)).ngroup().to_numpy()
    values = differences["difference"].to_numpy(float)
    topics = len(np.unique(codes))
    if topics < LEAST_TOPICS:
        return _no_model(f"{topics} topics, a variance between topics takes {LEAST_TOPICS}")
    if len(values) == topics:
        return _no_model("one random set a topic: the t interval is the same")
    scale = float(values.std())
    if scale == 0:
        return _no_model("all differences are the same")
    # An estimated variance of 0 is a valid answer, but statsmodels warns of it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = MixedLM(values / scale, np.ones((len(values), 1)), groups=codes).fit(reml=True)
    mean, error = float(fitted.fe_params[0]) * scale, float(fitted.bse_fe[0]) * scale
    # An optimiser that stopped at a singular covariance reports convergence and an arbitrarily large error.
    if not fitted.converged or not error <= scale:
        return _no_model("the fit did not converge")
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    p = float(2 * stats.norm.sf(abs(mean) / error))
    return {"mixed_mean": mean, "mixed_low": mean - half, "mixed_high": mean + half, "mixed_p": p, "mixed_reason": None}


def _no_model(reason: str) -> dict[str, Any]:
    return {**dict.fromkeys(("mixed_mean", "mixed_low", "mixed_high", "mixed_p")), "mixed_reason": reason}


def _against_each_set(sets: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Return the keys and ``difference``: targeted minus each random set of the topic, on its own benchmark.

    By the specific measure each change is that of the own benchmark minus the mean of the others.
    """
    keys = [*UNIT, *KEY]
    own = sets[sets["scope"] == "topic"]
    aligned = own["measured"] == own["benchmark"]
    changes = own[aligned].set_index([*keys, "arm", "set"])["change"]
    if measure == SPECIFIC:
        changes = changes - own[~aligned].groupby([*keys, "arm", "set"])["change"].mean()
    table = changes.reset_index()
    targeted, random = (table[table["arm"] == arm] for arm in ARMS["topic"])
    both = random.merge(targeted[[*keys, "change"]], on=keys, suffixes=("_random", "_targeted"))
    return both.assign(difference=both["change_targeted"] - both["change_random"])[[*keys, "difference"]]
