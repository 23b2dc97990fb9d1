"""Bins judged by what they do for queries that know nothing.

A null is one map: every bin has one value, so its bins are the only repeats there are. What a bin may
do without knowledge is therefore read from how far the null's bins lie from their centre, beyond what
their few documents explain; a bin of the study is called when it lies further out than that. Scores
of a null have a unit of their own (other queries, other weights), so each map is measured in standard
deviations of a document within its bin, and from its own centre:

    e      = (potency - mean over bins) / within
    tau2   = variance of the null's e between bins, less that of their sampling (by moments)
    null_z = e / sqrt(tau2 + v),   v = spread / (n within^2)

``spread`` is the variance of the bin's documents, mixed with that of all bins as if the latter were
known from four more of its own (Smyth 2004): three documents that happen to agree would otherwise be
all but sure, and few bins have more than chance would give them. Nothing changes when all scores of a
map are shifted or multiplied by a positive number. With a null that has no structure, tau2 is 0 and
null_z is the moderated t of the bin's documents.

Two p-values go with it. ``p`` takes true values of the null's bins as normal, and can be as small as
the bin lies far out. ``rank_p`` takes nothing for granted but that a bin without knowledge is
exchangeable with the null's bins: it is the share of them, the bin itself counted, whose null_z is as
large. Its rate is held whatever the law (Bates et al. 2023 for Benjamini-Hochberg upon it), and with b
bins it is never below 1 / (b + 1): of 576 bins twenty must lie outside the whole null before any is called at
q .05.

Both hold over bins, not for one bin by itself, whose part in the null's structure (its style, say) one
map cannot tell from chance; structure that study and null share makes the test cautious.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.bin_moments import PRIOR_DF, bin_moments
from social_provenance.estimation.significance.multiplicity import q_values, two_sided_p
from social_provenance.estimation.significance.shrinkage import between_by_moments


@dataclass(frozen=True)
class Judged:
    """Bins judged, bins x columns each; NaN where a bin has fewer than two documents.

    Attributes:
        z: ``null_z``, in standard deviations of the null.
        p: Two-sided, by Student's t.
        q: Benjamini-Hochberg over all of ``p``.
        rank_p: Two-sided, by the ranks of the null's bins of the same column.
        rank_q: Benjamini-Hochberg over all of ``rank_p``.
        between: tau2 of the null that judged the bin, in variances of a document.
    """

    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    rank_p: np.ndarray
    rank_q: np.ndarray
    between: np.ndarray


@dataclass(frozen=True)
class StandardisedMap:
    """A map in its own unit, standard deviations of a document, about its own centre.

    Attributes:
        values: Bins x columns; NaN where a bin has fewer than two documents.
        variances: Bins x columns: their sampling variance.
        counts: Bins: documents.
    """

    values: np.ndarray
    variances: np.ndarray
    counts: np.ndarray


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
    return judge(standardise_map(scores, bins, n_bins), standardise_map(null, bins, n_bins))


def standardise_map(scores: np.ndarray, bins: np.ndarray, n_bins: int) -> StandardisedMap:
    """Put a map into standard deviations of a document, about its centre.

    Args:
        scores: Documents x columns.
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Bins of the grid.

    Raises:
        AttributionError: If a score is no number, or scores and bins are of different documents.
    """
    moments = bin_moments(scores, bins, n_bins)
    means = np.where(np.isfinite(moments.spread), moments.means, np.nan)
    there = np.maximum(np.isfinite(means).sum(axis=0), 1)
    away = means - np.nansum(means, axis=0) / there
    away = np.where(np.abs(away) <= 1e-12 * np.abs(means), 0.0, away)
    within = moments.pooled_spread()
    within = np.where(within > 0, within, 1.0)
    freedom = np.maximum(moments.counts - 1, 0)[:, None]
    spread = (freedom * moments.spread / within + PRIOR_DF) / (freedom + PRIOR_DF)
    spread = np.where(moments.pooled_spread() > 0, spread, 0.0)
    sampling = spread / np.maximum(moments.counts, 1)[:, None]
    # The centre is a mean of the same bins: it lessens the bin's own part and adds a little of all others.
    variances = sampling * (1 - 2 / there) + np.nansum(sampling, axis=0) / there**2
    return StandardisedMap(away / np.sqrt(within), variances, moments.counts)


def judge(own: StandardisedMap, null: StandardisedMap, groups: np.ndarray | None = None) -> Judged:
    """Judge the bins of a map by a null.

    Args:
        own: The map.
        null: The null, of the same bins and columns.
        groups: Group of each bin: bins are judged by the null's bins of other groups alone, so that a
            map can be judged by itself. None judges all bins by all.
    """
    between, freedom = _between(null, groups)
    z, p = _tested(own, between, freedom)
    rank_p = np.full(z.shape, np.nan)
    labels = np.zeros(len(z), dtype=int) if groups is None else groups
    for group in np.unique(labels):
        mine = labels == group
        others = np.ones(len(z), dtype=bool) if groups is None else ~mine
        reference = _tested(null, between[mine][:1], freedom[mine][:1])[0]
        for column in range(z.shape[1]):
            rank_p[mine, column] = _rank_p(z[mine, column], reference[others, column])
    return Judged(z, p, q_values(p), rank_p, q_values(rank_p), between)


def judge_by_documents(own: StandardisedMap) -> tuple[np.ndarray, np.ndarray]:
    """Return z and p of bins against the mean by the noise of their documents alone, as if tau2 were 0."""
    return _tested(own, np.zeros(own.values.shape), np.full(own.values.shape, np.inf))


def _between(null: StandardisedMap, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return tau2 of a null and the degrees of freedom that it has, bins x columns."""
    labels = np.zeros(len(null.values), dtype=int) if groups is None else groups
    between, freedom = np.zeros(null.values.shape), np.ones(null.values.shape)
    for group in np.unique(labels):
        mine = labels == group
        used = np.ones(len(labels), dtype=bool) if groups is None else ~mine
        for column in range(null.values.shape[1]):
            there = used & np.isfinite(null.values[:, column])
            if there.sum() > 1:
                freedom[mine, column] = there.sum() - 1
                between[mine, column] = _two_steps(
                    null.values[there, column], null.variances[there, column], null.counts[there]
                )
    return between, freedom


def _two_steps(y: np.ndarray, v: np.ndarray, counts: np.ndarray) -> float:
    """Estimate tau2 with weights from the counts, and again with that tau2 in the weights.

    Weights by counts and not by ``v``: a bin that seems sure by chance would weigh too much.
    """
    first = between_by_moments(y, v, counts.astype(float))
    return between_by_moments(y, v, 1 / (first + 1 / counts))


def _tested(own: StandardisedMap, between: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z and p of effects by both variances; degrees of freedom by Satterthwaite (1946)."""
    total = between + own.variances
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(total > 0, own.values / np.sqrt(total), np.where(own.values == 0, 0.0, np.nan))
        single = own.variances**2 / np.where(own.counts > 1, own.counts - 1 + PRIOR_DF, np.nan)[:, None]
        df = np.where(total > 0, total**2 / (between**2 / freedom + single), 1.0)
    return z, two_sided_p(own.values, np.sqrt(total), df)


def _rank_p(z: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return (1 + bins of the null as far out) / (1 + bins of the null); NaN stays NaN."""
    known = np.sort(np.abs(reference[~np.isnan(reference)]))
    nearer = np.searchsorted(known, np.abs(z) * (1 - 1e-9))
    return np.where(np.isnan(z), np.nan, (1 + len(known) - nearer) / (1 + len(known)))
