"""Bins judged by what they do for queries that know nothing.

A null is one map: every bin has one value, so its bins are the only repeats there are. What a bin may
do without knowledge is therefore read from how far the null's bins lie from their centre, beyond what
their few documents explain; a bin of the study is called when it lies further out than that. Scores
of a null have a unit of their own (other queries, other weights), so each map is measured in standard
deviations of a document within its bin, and from its own centre:

    e     = (potency - mean over bins) / within
    tau2  = variance of the null's e between bins, less that of their sampling (by moments)
    null_z = e / sqrt(tau2 + v),   v = var(documents of the bin) / (n within^2)

Nothing in it changes when all scores of a map are shifted or multiplied by a positive number. With a
null that has no structure, tau2 is 0 and null_z is the ordinary statistic of the bin's documents. The
rate holds over bins: of the bins of another null map with the same spread, 5 % have p <= .05. It does
not hold for one bin by itself, whose part in the null's structure (its style, say) one map cannot tell
from chance; structure that study and null share makes the test cautious.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_provenance.errors import AttributionError
from social_provenance.estimation.moments import Moments, bin_moments
from social_provenance.estimation.multiplicity import q_values, two_sided_p
from social_provenance.estimation.shrinkage import between_by_moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

Column = tuple[str, str]
LEVEL = 0.05
"""Level at which a bin is called."""


@dataclass(frozen=True)
class Judged:
    """Bins judged; NaN where a bin has fewer than two documents.

    Attributes:
        z: Bins x columns: ``null_z``, in standard deviations of the null.
        p: Bins x columns: two-sided, by Student's t.
        q: Bins x columns: Benjamini-Hochberg over all of them.
        between: Columns: tau2 of the null, in variances of a document.
    """

    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    between: np.ndarray


@dataclass(frozen=True)
class _Map:
    """A map in its own unit: effects, their sampling variances and degrees of freedom, bins x columns."""

    effects: np.ndarray
    variances: np.ndarray
    df: np.ndarray


def null_z(scores: np.ndarray, null: np.ndarray, bins: np.ndarray, n_bins: int) -> Judged:
    """Judge the bins of the study by a null.

    Args:
        scores: Documents x columns (a column is a benchmark under a method).
        null: Documents x columns: scores of the same documents and columns under one variant.
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Bins of the grid.

    Raises:
        AttributionError: If scores and null are not of the same documents and columns, or one is no
            number.
    """
    if null.shape != scores.shape:
        raise AttributionError(
            f"null scores are of documents x columns {null.shape} and scores of {scores.shape}: give the same "
            f"documents, benchmarks and methods, run the attribution pipeline again"
        )
    own, other = (_measured(bin_moments(array, bins, n_bins)) for array in (scores, null))
    return _judge(own, _between(other, None), _freedom(other))


def calibrate(
    nulls: Mapping[str, np.ndarray], columns: list[Column], bins: np.ndarray, topics: np.ndarray, n_bins: int
) -> pd.DataFrame:
    """Return how often each null calls a bin, when it is put through the tests itself.

    Two tests: ``documents`` asks whether a bin differs from the mean by more than its documents
    explain (tau2 = 0), ``null`` is :func:`null_z`. For the latter the bins of a topic are judged by
    tau2 of the other topics, so that no bin has a part in its own measure.

    Args:
        nulls: Variant -> documents x columns.
        columns: Benchmark and method of each column.
        bins: Bin of each document.
        topics: Topic of each bin, integers; length ``n_bins``.
        n_bins: Bins of the grid.

    Returns:
        ``variant``, ``benchmark``, ``method``, ``test``, ``measure`` (``p`` or ``q`` at .05; q over the
        bins and columns of the variant), ``n_bins``, ``called``, ``share``, ``ci_low``, ``ci_high``. The interval
        is Clopper & Pearson's at 95 % and takes bins as independent, which bins of one topic are not
        quite. A column without a bin of two documents has a null share.

    Raises:
        AttributionError: If a null is of other documents or columns, or a score is no number.
    """
    import numpy as np
    import pandas as pd

    rows = []
    for variant, scores in nulls.items():
        if scores.shape[1:] != (len(columns),):
            raise AttributionError(
                f"null {variant!r} has the shape {scores.shape} and there are {len(columns)} columns: give documents x "
                f"columns"
            )
        own = _measured(bin_moments(scores, bins, n_bins))
        tests = {
            "documents": _judge(own, np.zeros((1, len(columns))), np.full((1, len(columns)), np.inf)),
            "null": _judge(own, _between(own, topics), _freedom(own)),
        }
        for test, judged in tests.items():
            for number, (benchmark, method) in enumerate(columns):
                named = {"variant": variant, "benchmark": benchmark, "method": method, "test": test}
                for measure, values in (("p", judged.p), ("q", judged.q)):
                    rows.append({**named, "measure": measure, **called(values[:, number])})
    return pd.DataFrame(rows)


def called(values: np.ndarray) -> dict[str, float]:
    """Return how many of some p or q are at most .05, with Clopper & Pearson's interval at 95 %.

    Args:
        values: Of bins; NaN does not count.
    """
    import numpy as np
    from statsmodels.stats.proportion import proportion_confint

    there = values[~np.isnan(values)]
    n, hits = len(there), int((there <= LEVEL).sum())
    if not n:
        return {"n_bins": 0, "called": 0, "share": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    low, high = proportion_confint(hits, n, alpha=0.05, method="beta")
    return {"n_bins": n, "called": hits, "share": hits / n, "ci_low": float(low), "ci_high": float(high)}


def _measured(moments: Moments) -> _Map:
    """Put a map into standard deviations of a document, about its centre."""
    import numpy as np

    known = np.isfinite(moments.spread)
    means = np.where(known, moments.means, np.nan)
    counts = np.maximum(known.sum(axis=0), 1)
    away = means - np.nansum(means, axis=0) / counts
    away = np.where(np.abs(away) <= 1e-12 * np.abs(means), 0.0, away)
    within = moments.pooled_spread()
    within = np.where(within > 0, within, 1.0)
    sampling = moments.errors() ** 2 / within
    # The centre is a mean of the same bins: it lessens the bin's own part and adds a little of all others.
    total = np.nansum(sampling, axis=0)
    variances = sampling * (1 - 2 / counts) + total / counts**2
    df = np.broadcast_to(np.maximum(moments.counts - 1, 0)[:, None], away.shape)
    return _Map(away / np.sqrt(within), variances, df)


def _between(null: _Map, groups: np.ndarray | None) -> np.ndarray:
    """Return tau2 of a null, 1 x columns; with groups bins x columns, each group's from the others."""
    import numpy as np

    n_bins, n_columns = null.effects.shape
    labels = np.zeros(n_bins, dtype=int) if groups is None else groups
    between = np.zeros((n_bins, n_columns))
    for group in np.unique(labels):
        own = labels == group
        used = np.ones(n_bins, dtype=bool) if groups is None else ~own
        for column in range(n_columns):
            y, v = null.effects[used, column], null.variances[used, column]
            there = np.isfinite(y)
            if there.sum() > 1:
                between[own, column] = _two_steps(y[there], v[there], null.df[used, column][there] + 1)
    return between[:1] if groups is None else between


def _two_steps(y: np.ndarray, v: np.ndarray, counts: np.ndarray) -> float:
    """Estimate tau2 with weights from the counts, and again with that tau2 in the weights.

    Weights by counts and not by ``v``: a bin that seems sure by chance would weigh too much.
    """
    import numpy as np

    design = np.ones((len(y), 1))
    first = between_by_moments(y, v, counts.astype(float), design)
    return between_by_moments(y, v, 1 / (first + 1 / counts), design)


def _freedom(null: _Map) -> np.ndarray:
    """Return what tau2 is estimated from, 1 x columns: bins - 1."""
    import numpy as np

    freedom: np.ndarray = np.maximum(np.isfinite(null.effects).sum(axis=0, keepdims=True) - 1, 1).astype(float)
    return freedom


def _judge(own: _Map, between: np.ndarray, between_df: np.ndarray) -> Judged:
    """Judge effects by both variances; degrees of freedom by Satterthwaite (1946)."""
    import numpy as np

    total = between + own.variances
    with np.errstate(invalid="ignore", divide="ignore"):
        df = total**2 / (between**2 / between_df + own.variances**2 / np.where(own.df > 0, own.df, np.nan))
        z = np.where(total > 0, own.effects / np.sqrt(total), np.where(own.effects == 0, 0.0, np.nan))
    df = np.where(total > 0, df, 1.0)
    p = two_sided_p(own.effects, np.sqrt(total), df)
    return Judged(np.where(np.isfinite(own.effects), z, np.nan), p, q_values(p), between.mean(axis=0))
