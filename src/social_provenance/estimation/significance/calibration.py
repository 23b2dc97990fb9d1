"""Calibration of the tests: the share of bins and topics of a null that they call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.influence import label_indices
from social_provenance.estimation.significance.multiplicity import q_values
from social_provenance.estimation.significance.nulls import (
    PEERS,
    StandardisedMap,
    difference_map,
    judge,
    judge_by_documents,
    of_topics,
    standardise_map,
)
from social_provenance.regions.grid import BINS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from social_provenance.estimation.maps.scored import Column

LEVEL = 0.05
"""p or q up to which a bin or topic is called."""
COLUMNS = [
    *("axis", "variant", "judge", "benchmark", "method", "measure"),
    *("n", "called", "share", "ci_low", "ci_high"),
]
DOCUMENTS = "documents"
"""Name of the judge that uses the noise of documents alone."""


def calibrate(nulls: Mapping[str, np.ndarray], columns: list[Column], bins: np.ndarray) -> pd.DataFrame:
    """Return the share of bins and topics of each null that are called when the tests are applied to it.

    Every null is tested against the noise of its documents, against the other nulls, and against itself. For
    the last, a topic and its bins are tested against those of other topics, so that nothing contributes to its
    own reference; ranks then hold their rate nearly by construction, and other nulls are the harder test.
    The difference of two peers, which judges the difference of items and null, is tested against itself likewise.

    Args:
        nulls: Variant -> scores, shape (documents, columns).
        columns: (benchmark, method) of each column.
        bins: Bin of each document, an index of ``BINS``.

    Returns:
        ``axis`` (``bin``, ``topic``), ``variant``, ``judge`` (``documents`` or a variant), ``benchmark``,
        ``method``, ``measure`` (``p``, ``q``, ``rank_p``, ``rank_q``, ``difference_q`` of two peers; q over the bins or
        topics and columns of the variant), ``n`` (bins or topics), ``called`` (at most 0.05), ``share``, ``ci_low``,
        ``ci_high``. The interval is Clopper & Pearson's at 95 %; it treats bins as independent, although bins of one
        topic are correlated. Without a bin of two documents the share is null.

    Raises:
        AttributionError: If a null is of other documents or columns, or a score is not finite.
    """
    import pandas as pd

    for variant, scores in nulls.items():
        if scores.shape != (len(bins), len(columns)):
            raise AttributionError(
                f"null {variant!r} is of documents x columns {scores.shape} and the study of "
                f"{(len(bins), len(columns))}: give the same documents, benchmarks and methods"
            )
    maps = {variant: standardise_map(scores, bins, len(BINS)) for variant, scores in nulls.items()}
    topics = {variant: of_topics(each) for variant, each in maps.items()}
    groups = {"bin": label_indices("topic"), "topic": np.arange(len(TOPICS))}
    rows = _rows("bin", maps, columns, groups["bin"]) + _rows("topic", topics, columns, groups["topic"])
    if set(PEERS) <= nulls.keys():
        first, second = PEERS
        difference = difference_map(nulls[first], nulls[second], bins, len(BINS))
        for axis, tested in (("bin", difference), ("topic", of_topics(difference))):
            called = {"difference_q": judge(tested, tested, groups[axis]).q}
            rows += _count({"axis": axis, "variant": first, "judge": second}, called, columns)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    axis: str, maps: Mapping[str, StandardisedMap], columns: list[Column], groups: np.ndarray
) -> list[dict[str, Any]]:
    """Return the rows of one axis; a map is tested against itself by groups."""
    rows = []
    for variant, tested in maps.items():
        p = judge_by_documents(tested)[1]
        by_judge = {DOCUMENTS: {"p": p, "q": q_values(p)}}
        for name, null in maps.items():
            judged = judge(tested, null, groups if name == variant else None)
            by_judge[name] = {measure: getattr(judged, measure) for measure in ("p", "q", "rank_p", "rank_q")}
        for name, measures in by_judge.items():
            rows += _count({"axis": axis, "variant": variant, "judge": name}, measures, columns)
    return rows


def _count(key: dict[str, str], measures: Mapping[str, np.ndarray], columns: list[Column]) -> list[dict[str, Any]]:
    return [
        {**key, "benchmark": benchmark, "method": method, "measure": measure, **count_called(values[:, index])}
        for index, (benchmark, method) in enumerate(columns)
        for measure, values in measures.items()
    ]


def count_called(values: np.ndarray) -> dict[str, float]:
    """Return the number and share of p or q of at most 0.05, with Clopper & Pearson's interval at 95 %.

    Args:
        values: p or q of bins or topics; NaN does not count.
    """
    from statsmodels.stats.proportion import proportion_confint

    known = values[~np.isnan(values)]
    n, hits = len(known), int((known <= LEVEL).sum())
    if not n:
        return {"n": 0, "called": 0, "share": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    low, high = proportion_confint(hits, n, alpha=0.05, method="beta")
    return {"n": n, "called": hits, "share": hits / n, "ci_low": float(low), "ci_high": float(high)}
