"""Share of a topic map's reproducible variance that another map explains.

Two maps that are correlated 0.6 may be two noisy copies of one map, or two precise maps that differ. The squared
correlation over topics is therefore corrected for the noise of both: with x, y the values of the topics in the two
maps and d their bootstrap deviations,

    c(x, y) = covariance of x and y over topics - mean over replicates of the covariance of their deviations
    share   = c(x, y)^2 / (c(x, x) c(y, y))

which is the squared correlation corrected for attenuation (Spearman 1904), where errors of the two maps may be
correlated: both are of the same documents. A replicate contains noise twice, in the estimate and in its deviation,
so twice its covariance is subtracted there. A sign that is reversed carries the same information, hence the square.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.estimation.bootstrap.uncertainty import percentile_interval
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps.influence import Influence
    from social_provenance.estimation.maps.scored import Scored

UNTRAINED = "random_weights"
"""Name of the null that is the same map under a model that was never trained."""
COLUMNS = ["benchmark", "method", "other", "n_topics", "share", "ci_low", "ci_high"]


@dataclass(frozen=True)
class TopicMap:
    """The topics of one map with their bootstrap deviations.

    Attributes:
        values: z of each topic, shape (topics,); NaN without documents.
        deviations: Deviations of z, shape (replicates, topics).
    """

    values: np.ndarray
    deviations: np.ndarray


def explain_by_methods(influence: Influence, method: str, others: Sequence[str]) -> pd.DataFrame:
    """Return how much of a method's map each of some other methods explains, for every benchmark.

    Args:
        influence: Influence over documents and queries.
        method: Method whose map is explained.
        others: Methods that may explain it; those that were not computed have no rows.

    Returns:
        ``benchmark``, ``method``, ``other``, ``n_topics``, ``share``, ``ci_low``, ``ci_high``.
    """
    places = {column: place for place, column in enumerate(influence.columns)}
    pairs = [
        ((benchmark, method), (benchmark, other))
        for benchmark in dict.fromkeys(benchmark for benchmark, _ in influence.columns)
        for other in others
        if {(benchmark, method), (benchmark, other)} <= places.keys()
    ]
    values, deviations = influence.profile("topic"), influence.deviations("topic").deviations()
    rows = []
    for columns in pairs:
        one, other = (
            TopicMap(values[:, places[column]], deviations[..., places[column]].astype(np.float64))
            for column in columns
        )
        names = {"benchmark": columns[0][0], "method": method, "other": columns[1][1]}
        rows.append({**names, **explained_share(one, other, influence.confidence)})
    return _table(rows)


def explain_by_untrained(compared: Scored, untrained: pd.DataFrame, method: str, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return how much of a method's map the same method explains under a model that was never trained.

    Both are maps of queries of norm 1, and their deviations are over documents: the items are those of the benchmark.

    Args:
        compared: Documents with the scores that nulls are compared with.
        untrained: Scores of these documents under random weights, a column for each benchmark and method.
        method: Method whose map is explained.
        bootstrap: Replicates, level and seed.
    """
    import pandas as pd

    columns = [column for column in compared.columns if column[1] == method and column in untrained.columns]
    if not columns:
        return _table([])
    own = compared.scores[:, [compared.columns.index(column) for column in columns]]
    null = untrained.loc[compared.ids, columns].to_numpy(float)
    twins = [(benchmark, UNTRAINED) for benchmark, _ in columns]
    both = replace(compared, columns=[*columns, *twins], scores=np.concatenate([own, null], axis=1))
    # The prevalence of bins weighs contributions and no z.
    even = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))
    return explain_by_methods(aggregate_scored(both, even, bootstrap), method, [UNTRAINED])


def explained_share(one: TopicMap, other: TopicMap, confidence: float) -> dict[str, float]:
    """Return the share of the variance of one map that the other explains, both without their noise.

    Args:
        one: Map that is explained. If it has no variance beyond noise, the share is 1: nothing in it is its own.
        other: Map that explains. If it has no variance beyond noise, the share is 0.
        confidence: Level of the percentile interval.

    Returns:
        ``n_topics`` (with documents in both maps) and ``share``, ``ci_low``, ``ci_high``, 0 to 1; NaN with fewer
        than three topics.
    """
    both = np.isfinite(one.values) & np.isfinite(other.values)
    count = int(both.sum())
    if count < 3:
        return {"n_topics": count, "share": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    maps = [each.values[None, both] for each in (one, other)]
    deviations = [each.deviations[:, both] for each in (one, other)]
    noise = {pair: _covariance(deviations[pair[0]], deviations[pair[1]]).mean() for pair in PAIRS}
    share = _share({pair: _covariance(maps[pair[0]], maps[pair[1]]) - noise[pair] for pair in PAIRS})
    drawn = [values + deviation for values, deviation in zip(maps, deviations, strict=True)]
    shares = _share({pair: _covariance(drawn[pair[0]], drawn[pair[1]]) - 2 * noise[pair] for pair in PAIRS})
    low, high = percentile_interval(shares, confidence)
    estimate = float(share[0])
    return {
        "n_topics": count,
        "share": estimate,
        "ci_low": min(float(low), estimate),
        "ci_high": max(float(high), estimate),
    }


PAIRS = ((0, 0), (0, 1), (1, 1))
"""Pairs of maps whose covariances a share is made of."""


def _share(covariances: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    one, both, other = (covariances[pair] for pair in PAIRS)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(both**2 / (one * other), 0, 1)
    return np.where(one <= 0, 1.0, np.where(other <= 0, 0.0, share))


def _covariance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the covariance over topics of each row, shape (rows,)."""
    centred = [values - values.mean(axis=1, keepdims=True) for values in (one, other)]
    covariance: np.ndarray = (centred[0] * centred[1]).sum(axis=1) / (one.shape[1] - 1)
    return covariance


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=COLUMNS)
