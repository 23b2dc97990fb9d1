"""Measures of one map in one world, and their intervals over seeds and worlds.

A map is a table of topics: ``benchmark``, ``topic``, ``value`` (larger for more support), ``role`` (``planted``,
``decoy`` or ``other``, for the benchmark of the row). Effects are those of retraining: ``arm``, ``design``,
``benchmark``, ``seed``, ``effect``, negative where what was left out supports the benchmark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.comparison.agreement import pearson
from social_provenance.interventions.effects import compare_with_retraining, predict_effects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

PLANTED, DECOY, OTHER = "planted", "decoy", "other"
ROLES = (PLANTED, DECOY, OTHER)
HALF, TOPIC = "half", "topic"
SMALLEST = 4
"""Pairs below which a correlation over single regions is not reported."""


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the area under the ROC curve of positive against negative values, ties by half; NaN if a side is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    above = np.sign(np.subtract.outer(np.asarray(positive, float), np.asarray(negative, float)))
    return float((above.mean() + 1) / 2)


def measure_truth(topics: pd.DataFrame) -> pd.DataFrame:
    """Return how a map treats planted topics and decoys: ``benchmark``, ``measure``, ``value``.

    - ``topic_auc``: planted topics against all others;
    - ``decoy_auc``: planted topics against decoys;
    - ``sign``: 1 where the mean value of decoys is below that of other topics, 0 where it is not.
    """
    rows = []
    for benchmark, own in topics.groupby("benchmark", sort=False):
        values = {role: own.loc[own["role"] == role, "value"].to_numpy(float) for role in ROLES}
        rest = np.concatenate([values[DECOY], values[OTHER]])
        both = len(values[DECOY]) and len(values[OTHER])
        measured = {
            "topic_auc": area(values[PLANTED], rest),
            "decoy_auc": area(values[PLANTED], values[DECOY]),
            "sign": float(values[DECOY].mean() < values[OTHER].mean()) if both else float("nan"),
        }
        rows += [(benchmark, name, value) for name, value in measured.items()]
    return _table(rows)


def measure_halves(topics: pd.DataFrame, effects: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Return the linear datamodeling score over random halves, ``lds_rank`` and ``lds_value``, and its noise ceilings.

    A map predicts the effect of a half by the sum of its values over what is left out (Park et al. 2023).

    Args:
        topics: A map.
        effects: Effects of all arms, one outcome.
        plan: Which topics each arm left out.
    """
    halves, arms = effects[effects["design"] == HALF], plan[plan["design"] == HALF]
    if halves.empty:
        return _table([])
    checks = topics.assign(method="map")[["method", "benchmark", "topic", "value"]]
    compared = compare_with_retraining(halves.assign(outcome=""), predict_effects(arms, checks))
    rows = []
    for row in compared.to_dict("records"):
        rows.append((row["benchmark"], f"lds_{row['measure']}", row["correlation"]))
        rows.append((row["benchmark"], f"ceiling_{row['measure']}", row["noise_ceiling"]))
    return _table(rows)


def measure_singles(topics: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Return the correlation by value of a map with the effects of single topics, ``lds_single`` and by role.

    Over all topics there is one for each benchmark. A role has too few topics of one benchmark, so its pairs of
    benchmark and topic are taken together (``lds_single_planted``, benchmark ``all``): values are comparable where
    they are standardised within a benchmark.
    """
    singles = effects[effects["design"] == TOPIC]
    if singles.empty:
        return _table([])
    damage = singles.groupby(["benchmark", "arm"], as_index=False)["effect"].mean()
    damage = damage.assign(damage=-damage["effect"]).rename(columns={"arm": "topic"})
    pairs = topics.merge(damage, on=["benchmark", "topic"])
    rows = [(benchmark, "lds_single", _correlate(own)) for benchmark, own in pairs.groupby("benchmark", sort=False)]
    rows += [("all", f"lds_single_{role}", _correlate(pairs[pairs["role"] == role])) for role in ROLES]
    return _table(rows)


def top_topics(topics: pd.DataFrame, count: int) -> dict[str, tuple[str, ...]]:
    """Return benchmark -> its ``count`` topics of the largest value, in alphabetical order."""
    ordered = topics.sort_values(["value", "topic"], ascending=[False, True])
    return {str(name): tuple(sorted(own["topic"].head(count))) for name, own in ordered.groupby("benchmark")}


def measure_removal(tops: Mapping[str, str], effects: pd.DataFrame) -> pd.DataFrame:
    """Return ``qld``, the rise of a benchmark's loss where the model is retrained without a map's top topics.

    Args:
        tops: Benchmark -> arm that left its top topics out.
        effects: Effects of those arms. The loss is minus the normalised gold log-probability.
    """
    mean = effects.groupby(["arm", "benchmark"])["effect"].mean()
    return _table([(name, "qld", -float(mean.get((arm, name), float("nan")))) for name, arm in tops.items()])


def own_ranks(scores: np.ndarray, authors: Sequence[int], own: Sequence[int]) -> np.ndarray:
    """Return the rank of each item's own document among those of the same author, from 0 (lowest) to 1 (highest).

    Args:
        scores: Score of each document for each item, shape (documents, items).
        authors: Author of each document.
        own: Position of each item's own document.

    Returns:
        The share of the author's other documents that score below it, ties by half; chance is 0.5.
    """
    labels = np.asarray(authors)
    ranks = []
    for item, position in enumerate(own):
        others = (labels == labels[position]) & (np.arange(len(labels)) != position)
        ranks.append(area(scores[[position], item], scores[others, item]))
    return np.array(ranks)


def interval(values: Sequence[float], confidence: float = 0.95) -> dict[str, float]:
    """Return the mean of independent values with its t interval; values that are NaN do not count.

    Returns:
        ``mean``, ``low``, ``high``, ``n``. The bounds are NaN with fewer than two values.
    """
    from scipy.stats import t

    finite = np.array([value for value in values if np.isfinite(value)], float)
    count = len(finite)
    if not count:
        return {"mean": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0}
    mean = float(finite.mean())
    if count == 1:
        return {"mean": mean, "low": float("nan"), "high": float("nan"), "n": 1}
    half = float(t.ppf((1 + confidence) / 2, count - 1) * finite.std(ddof=1) / np.sqrt(count))
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": count}


def summarise(measured: pd.DataFrame) -> pd.DataFrame:
    """Return each method's measures in each world, over its seeds, and over all worlds.

    Benchmarks are averaged first: they are fixed, so they are no sample. A world's interval is over its seeds. That of
    all worlds (``world`` is ``all``) is over the means of worlds, or over the seeds of the only one.

    Args:
        measured: ``method``, ``world``, ``seed``, ``benchmark``, ``measure``, ``value``.

    Returns:
        ``method``, ``world``, ``measure``, ``mean``, ``low``, ``high``, ``n`` (units that the interval is over).
    """
    import pandas as pd

    key = ["method", "measure"]
    seeds = measured.groupby([*key, "world", "seed"], as_index=False, sort=False)["value"].mean()
    rows = [
        {"method": method, "world": world, "measure": measure, **interval(own["value"].tolist())}
        for (method, measure, world), own in seeds.groupby([*key, "world"], sort=False)
    ]
    for (method, measure), own in seeds.groupby(key, sort=False):
        worlds = own.groupby("world")["value"].mean().dropna()
        units = worlds if len(worlds) > 1 else own["value"]
        rows.append({"method": method, "world": "all", "measure": measure, **interval(units.tolist())})
    return pd.DataFrame(rows, columns=["method", "world", "measure", "mean", "low", "high", "n"])


def _correlate(pairs: pd.DataFrame) -> float:
    if len(pairs) < SMALLEST:
        return float("nan")
    return pearson(pairs["value"].to_numpy(float), pairs["damage"].to_numpy(float))


def _table(rows: Sequence[tuple[object, str, float]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=["benchmark", "measure", "value"])
