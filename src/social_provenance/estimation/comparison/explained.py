"""Share of a topic map's reproducible variance that another map explains.

Two maps that are correlated 0.6 may be two noisy copies of one map, or two precise maps that differ. The squared
correlation over topics is therefore corrected for the noise of both: with x, y the values of the topics in the two
maps and d their bootstrap deviations,

    c(x, y) = covariance of x and y over topics - mean over replicates of the covariance of their deviations
    share   = c(x, y)^2 / (c(x, x) c(y, y))

which is the squared correlation corrected for attenuation (Spearman 1904), where errors of the two maps may be
correlated: both are of the same documents. A replicate contains noise twice, in the estimate and in its deviation,
so twice its covariance is subtracted there. A sign that is reversed carries the same information, hence the square.

Where the other map has hardly any variance beyond noise, as under random weights, this ratio is not identified:
whatever is left may be the same map, a hundred times weaker. Maps of one method have one unit, though, the standard
deviation of a document within its bin. There the other map may explain at its own size and no more,

    share   = max over |b| <= 1 of (2 b c(x, y) - b^2 c(y, y)) / c(x, x)

the share of variance that the best multiple b of the other map removes. With b unlimited it is the ratio above; of a
map that is the same, and k times as strong, it is 1 - (1 - 1/k)^2.

Noise is that of the documents. The items are taken as they are, because the question is whether two maps of *these*
items are one map; how a map changes with other items is its reliability over queries
(:mod:`social_provenance.estimation.maps.profiles`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.estimation.bootstrap.uncertainty import percentile_interval
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.bin_moments import bin_moments
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps.influence import Influence
    from social_provenance.estimation.maps.scored import Column, Scored

UNTRAINED = "random_weights"
"""Name of the null that is the same map under a model that was never trained."""
COLUMNS = ["benchmark", "method", "other", "n_topics", "share", "ci_low", "ci_high"]


@dataclass(frozen=True)
class TopicMap:
    """The topics of one map with their deviations over resampled documents.

    Attributes:
        values: Value of each topic, shape (topics,); NaN without documents.
        deviations: Deviations of the values, shape (replicates, topics).
    """

    values: np.ndarray
    deviations: np.ndarray


def explain_by_methods(influence: Influence, method: str, others: Sequence[str]) -> pd.DataFrame:
    """Return how much of a method's map each of some other methods explains, for every benchmark.

    Args:
        influence: Influence with its deviations over documents.
        method: Method whose map is explained.
        others: Methods that may explain it; those that were not computed have no rows.

    Returns:
        ``benchmark``, ``method``, ``other``, ``n_topics``, ``share``, ``ci_low``, ``ci_high``.
    """
    columns = dict.fromkeys(benchmark for benchmark, _ in influence.columns)
    pairs = [((benchmark, method), (benchmark, other)) for benchmark in columns for other in others]
    return _explain(influence, pairs, np.ones(len(influence.columns)), amplified=True)


def explain_by_untrained(compared: Scored, untrained: pd.DataFrame, method: str, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return how much of a method's map the same method explains under a model that was never trained.

    Both are maps of queries of norm 1, as wherever items and nulls are compared, in standard deviations of a document
    within its bin. The untrained map explains at its own size and no more.

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
    influence = aggregate_scored(both, even, bootstrap)
    within = np.sqrt(bin_moments(both.scores, both.bins, len(BINS)).pooled_spread())
    units = np.divide(influence.spread, within, out=np.zeros(len(within)), where=within > 0)
    return _explain(
        influence, [((benchmark, method), (benchmark, UNTRAINED)) for benchmark, _ in columns], units, amplified=False
    )


def _explain(
    influence: Influence, pairs: Sequence[tuple[Column, Column]], units: np.ndarray, *, amplified: bool
) -> pd.DataFrame:
    """Return the rows of pairs of columns that are there, z of each column multiplied by its unit."""
    places = {column: place for place, column in enumerate(influence.columns)}
    values, deviations = influence.profile("topic") * units, influence.deviations("topic").documents * units
    rows = []
    for pair in pairs:
        if not set(pair) <= places.keys():
            continue
        one, other = (
            TopicMap(values[:, places[column]], deviations[..., places[column]].astype(np.float64)) for column in pair
        )
        names = {"benchmark": pair[0][0], "method": pair[0][1], "other": pair[1][1]}
        rows.append({**names, **explained_share(one, other, influence.confidence, amplified=amplified)})
    return _table(rows)


def explained_share(one: TopicMap, other: TopicMap, confidence: float, *, amplified: bool = True) -> dict[str, float]:
    """Return the share of the variance of one map that the other explains, both without their noise.

    Args:
        one: Map that is explained. If it has no variance beyond noise, the share is 1: nothing in it is its own.
        other: Map that explains. If it has no variance beyond noise, ``amplified`` decides: the share is 0, or that of
            the map at its own size.
        confidence: Level of the percentile interval.
        amplified: Whether a multiple of the other map that is larger than the map itself may explain: units differ.

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
    most = np.inf if amplified else 1.0
    share = _share({pair: _covariance(maps[pair[0]], maps[pair[1]]) - noise[pair] for pair in PAIRS}, most)
    drawn = [values + deviation for values, deviation in zip(maps, deviations, strict=True)]
    shares = _share({pair: _covariance(drawn[pair[0]], drawn[pair[1]]) - 2 * noise[pair] for pair in PAIRS}, most)
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


def _share(covariances: dict[tuple[int, int], np.ndarray], most: float) -> np.ndarray:
    """Return the share of variance that the best multiple of the other map removes, of at most ``most`` its size."""
    own, both, other = (covariances[pair] for pair in PAIRS)
    known = other > 0
    multiple = np.divide(both, other, out=np.sign(both) * (0.0 if np.isinf(most) else most), where=known)
    multiple = np.clip(multiple, -most, most)
    removed = 2 * multiple * both - multiple**2 * np.where(known, other, 0.0)
    shares: np.ndarray = np.clip(np.divide(removed, own, out=np.ones(len(own)), where=own > 0), 0, 1)
    return shares


def _covariance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the covariance over topics of each row, shape (rows,)."""
    centred = [values - values.mean(axis=1, keepdims=True) for values in (one, other)]
    covariance: np.ndarray = (centred[0] * centred[1]).sum(axis=1) / (one.shape[1] - 1)
    return covariance


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=COLUMNS)
