"""How often a test calls bins of a map that knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.multiplicity import q_values
from social_provenance.estimation.significance.nulls import judge, judge_by_documents, standardise_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Column = tuple[str, str]
LEVEL = 0.05
"""Level at which a bin is called."""
DOCUMENTS = "documents"
"""Judge that knows the noise of documents alone."""


def calibrate(
    nulls: Mapping[str, np.ndarray], columns: list[Column], bins: np.ndarray, topics: np.ndarray
) -> pd.DataFrame:
    """Return how often the bins of each null are called, when it is put through the tests itself.

    Every null is judged by the noise of its documents, by the other nulls, and by itself. For the last
    the bins of a topic are judged by those of other topics, so that no bin has a part in its own
    measure; ranks then hold their rate nearly by construction, and other nulls are the harder test.

    Args:
        nulls: Variant -> documents x columns.
        columns: Benchmark and method of each column.
        bins: Bin of each document: a place in ``topics``.
        topics: Topic of each bin, integers.

    Returns:
        ``variant``, ``judge`` (``documents`` or a variant), ``benchmark``, ``method``, ``measure`` (``p``,
        ``q``, ``rank_p``, ``rank_q``; q over the bins and columns of the variant), ``n_bins``, ``called``
        (at most .05), ``share``, ``ci_low``, ``ci_high``. The interval is Clopper & Pearson's at 95 %; it
        takes bins as independent, which bins of one topic are not quite. Without a bin of two
        documents the share is null.

    Raises:
        AttributionError: If a null is of other documents or columns, or a score is no number.
    """
    import pandas as pd

    for variant, scores in nulls.items():
        if scores.shape != (len(bins), len(columns)):
            raise AttributionError(
                f"null {variant!r} is of documents x columns {scores.shape} and the study of "
                f"{(len(bins), len(columns))}: give the same documents, benchmarks and methods"
            )
    maps = {variant: standardise_map(scores, bins, len(topics)) for variant, scores in nulls.items()}
    rows = []
    for variant, own in maps.items():
        p = judge_by_documents(own)[1]
        verdicts = {DOCUMENTS: {"p": p, "q": q_values(p)}}
        for name, null in maps.items():
            judged = judge(own, null, topics if name == variant else None)
            verdicts[name] = {measure: getattr(judged, measure) for measure in ("p", "q", "rank_p", "rank_q")}
        for name, verdict in verdicts.items():
            for number, (benchmark, method) in enumerate(columns):
                named = {"variant": variant, "judge": name, "benchmark": benchmark, "method": method}
                rows += [
                    {**named, "measure": key, **count_called(values[:, number])} for key, values in verdict.items()
                ]
    return pd.DataFrame(rows)


def count_called(values: np.ndarray) -> dict[str, float]:
    """Return how many of some p or q are at most .05, with Clopper & Pearson's interval at 95 %.

    Args:
        values: Of bins; NaN does not count.
    """
    from statsmodels.stats.proportion import proportion_confint

    there = values[~np.isnan(values)]
    n, hits = len(there), int((there <= LEVEL).sum())
    if not n:
        return {"n_bins": 0, "called": 0, "share": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    low, high = proportion_confint(hits, n, alpha=0.05, method="beta")
    return {"n_bins": n, "called": hits, "share": hits / n, "ci_low": float(low), "ci_high": float(high)}
