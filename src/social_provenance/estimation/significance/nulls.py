"""Tests of bins and topics against nulls: scores under queries or weights without information about the benchmark.

A null is one map: every bin has one value, so its bins are the only repeats. The range of values
without information is therefore estimated from the deviations of the null's bins from their centre, beyond
the noise of their documents; a bin of the study is called when it is more extreme. Scores of a null have
another unit (other queries, other weights), so each map is measured in standard deviations of a document
within its bin, from its own centre:

    e      = (potency - mean over bins) / within
    tau2   = variance of the null's e between bins minus their sampling variance (by moments)
    null_z = e / sqrt(tau2 + v),   v = spread / (n within^2)

``spread`` is the variance of the bin's documents, combined with that of all bins, which counts as four
more degrees of freedom (Smyth 2004): three documents that happen to agree would otherwise have a variance near
zero. Nothing changes when all scores of a map are shifted or multiplied by a positive number. With a null
that has no structure, tau2 is 0 and null_z is the moderated t of the bin's documents.

There are two p-values. ``p`` assumes that true values of the null's bins are normal, and has no lower bound.
``rank_p`` assumes only that a bin without information is exchangeable with the null's bins: it is the share
of them, the bin itself counted, whose null_z is as large. It is valid for any distribution (Bates et al.
2023 for Benjamini-Hochberg upon it), and with b bins it is never below 1 / (b + 1): of 576 bins twenty must
exceed the whole null before any is called at q 0.05.

A topic is the unweighted mean of its bins and is tested against the null's topics in the same way. There are 24 of
them, so its ``rank_p`` is never below 1 / 25, and its ``p`` has 23 degrees of freedom for tau2.

Both hold over bins, not for a single one, whose permanent effect under the null (its style, say) one
map cannot separate from chance; structure that study and null share makes the test conservative.

Where wrong answers have a map of their own (documents that teach the right ones are their opponents), that test sees
little. A test of differences (``difference_map``) asks what the *answers* change: items minus one null, against the
spread of another null minus the same null. If no bin tells right answers from wrong ones, items and both nulls are
exchangeable, and both differences have one distribution. What all three share (prompts, documents, weights) cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.bin_moments import PRIOR_DF, bin_moments
from social_provenance.estimation.maps.influence import label_indices
from social_provenance.estimation.significance.multiplicity import q_values, two_sided_p
from social_provenance.estimation.significance.shrinkage import between_by_moments
from social_provenance.regions.grid import TOPICS

if TYPE_CHECKING:
    from collections.abc import Container

PEERS = ("shuffled_answers", "wrong_answers")
"""Nulls that give items wrong answers of their own benchmark: each judges the difference of items and the other."""


@dataclass(frozen=True)
class Judged:
    """Tests of bins against a null, shape (bins, columns) each; NaN where a bin has fewer than two documents.

    Attributes:
        z: ``null_z``, in standard deviations of the null.
        p: Two-sided p by Student's t.
        q: Benjamini-Hochberg over all of ``p``.
        rank_p: Two-sided p by the ranks among the null's bins of the same column.
        rank_q: Benjamini-Hochberg over all of ``rank_p``.
        between: tau2 of the null that the bin is tested against, in variances of a document.
    """

    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    rank_p: np.ndarray
    rank_q: np.ndarray
    between: np.ndarray


@dataclass(frozen=True)
class StandardisedMap:
    """A map in standard deviations of a document within its bin, centred.

    Attributes:
        values: e of each bin, shape (bins, columns); NaN where a bin has fewer than two documents.
        variances: Sampling variances v of the values, same shape.
        counts: Number of documents, shape (bins,); of a mean over bins, the number whose mean would be as precise.
        sampling: Sampling variances of the means before they are centred, same shape as the values.
    """

    values: np.ndarray
    variances: np.ndarray
    counts: np.ndarray
    sampling: np.ndarray

    def over_labels(self, labels: np.ndarray, n_labels: int) -> StandardisedMap:
        """Return the map of unweighted means over the bins of each label that have a value, such as topics.

        Args:
            labels: Label of each bin, 0 to ``n_labels - 1``.
            n_labels: Number of labels.
        """
        filled = np.isfinite(self.values).all(axis=1)
        members = (labels == np.arange(n_labels)[:, None]) & filled
        n_bins = members.sum(axis=1, keepdims=True)
        means = members / np.maximum(n_bins, 1)
        # The centre is the mean of the same bins: a topic's mean less the centre has these weights on the bins.
        centred = means - filled / max(int(filled.sum()), 1)
        inverse = np.divide(1.0, self.counts, out=np.zeros(len(filled)), where=self.counts > 0)
        precision = np.divide(1.0, means**2 @ inverse, out=np.zeros(n_labels), where=n_bins[:, 0] > 0)
        return StandardisedMap(
            values=np.where(n_bins > 0, means @ np.nan_to_num(self.values), np.nan),
            variances=centred**2 @ np.nan_to_num(self.sampling),
            counts=precision,
            sampling=means**2 @ np.nan_to_num(self.sampling),
        )


def null_z(scores: np.ndarray, null: np.ndarray, bins: np.ndarray, n_bins: int) -> Judged:
    """Test the bins of the study against a null.

    Args:
        scores: Scores, shape (documents, columns); a column is a benchmark under a method.
        null: Scores of the same documents and columns under one variant of the null, same shape.
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Number of bins of the grid.

    Raises:
        AttributionError: If scores and null are not of the same documents and columns, or one is not
            finite.
    """
    refuse_other_shape(scores, null)
    return judge(standardise_map(scores, bins, n_bins), standardise_map(null, bins, n_bins))


def peer_of(variant: str, nulls: Container[str]) -> str | None:
    """Return the null that judges the differences from another one of :data:`PEERS`, None if it was not scored."""
    others = [name for name in PEERS if name != variant and name in nulls]
    return others[0] if variant in PEERS and others else None


def difference_map(scores: np.ndarray, null: np.ndarray, bins: np.ndarray, n_bins: int) -> StandardisedMap:
    """Return the map of scores minus null, each in its own standard deviations of a document within its bin.

    Args:
        scores: Scores, shape (documents, columns).
        null: Scores of the same documents and columns under a null, same shape.
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Number of bins of the grid.

    Raises:
        AttributionError: If scores and null are not of the same documents and columns, or one is not finite.
    """
    refuse_other_shape(scores, null)
    own, other = (_in_units_of_documents(each, bins, n_bins) for each in (scores, null))
    return standardise_map(own - other, bins, n_bins)


def _in_units_of_documents(scores: np.ndarray, bins: np.ndarray, n_bins: int) -> np.ndarray:
    within = np.sqrt(bin_moments(scores, bins, n_bins).pooled_spread())
    scaled: np.ndarray = np.divide(scores, within, out=np.zeros(scores.shape), where=within > 0)
    return scaled


def refuse_other_shape(scores: np.ndarray, null: np.ndarray) -> None:
    """Refuse scores and null scores that are not of the same documents and columns.

    Raises:
        AttributionError: With both shapes.
    """
    if null.shape != scores.shape:
        raise AttributionError(
            f"null scores are of documents x columns {null.shape} and scores of {scores.shape}: give the same "
            f"documents, benchmarks and methods, run the attribution pipeline again"
        )


def of_topics(bins: StandardisedMap) -> StandardisedMap:
    """Return the map of topics of a map of the 576 bins."""
    return bins.over_labels(label_indices("topic"), len(TOPICS))


def standardise_map(scores: np.ndarray, bins: np.ndarray, n_bins: int) -> StandardisedMap:
    """Convert scores into a map in standard deviations of a document, centred.

    Args:
        scores: Scores, shape (documents, columns).
        bins: Bin of each document, 0 to ``n_bins - 1``.
        n_bins: Number of bins of the grid.

    Raises:
        AttributionError: If a score is not finite, or scores and bins are of different documents.
    """
    moments = bin_moments(scores, bins, n_bins)
    means = np.where(np.isfinite(moments.spread), moments.means, np.nan)
    n_bins_filled = np.maximum(np.isfinite(means).sum(axis=0), 1)
    deviations = means - np.nansum(means, axis=0) / n_bins_filled
    deviations = np.where(np.abs(deviations) <= 1e-12 * np.abs(means), 0.0, deviations)
    within = moments.pooled_spread()
    within = np.where(within > 0, within, 1.0)
    freedom = np.maximum(moments.counts - 1, 0)[:, None]
    spread = (freedom * moments.spread / within + PRIOR_DF) / (freedom + PRIOR_DF)
    spread = np.where(moments.pooled_spread() > 0, spread, 0.0)
    sampling = spread / np.maximum(moments.counts, 1)[:, None]
    # The centre is a mean of the same bins: subtracting it reduces the bin's own variance and adds a little of all.
    variances = sampling * (1 - 2 / n_bins_filled) + np.nansum(sampling, axis=0) / n_bins_filled**2
    return StandardisedMap(deviations / np.sqrt(within), variances, moments.counts, sampling)


def judge(tested: StandardisedMap, null: StandardisedMap, groups: np.ndarray | None = None) -> Judged:
    """Test the bins of a map against a null.

    Args:
        tested: Map of the study, or of another null.
        null: Map of the null, of the same bins and columns.
        groups: Group of each bin: bins are tested against the null's bins of other groups alone, so that a
            map can be tested against itself. None tests all bins against all.
    """
    between, freedom = _between(null, groups)
    z, p = _z_and_p(tested, between, freedom)
    rank_p = np.full(z.shape, np.nan)
    labels = np.zeros(len(z), dtype=int) if groups is None else groups
    for group in np.unique(labels):
        in_group = labels == group
        others = np.ones(len(z), dtype=bool) if groups is None else ~in_group
        reference = _z_and_p(null, between[in_group][:1], freedom[in_group][:1])[0]
        for column in range(z.shape[1]):
            rank_p[in_group, column] = _rank_p(z[in_group, column], reference[others, column])
    return Judged(z, p, q_values(p), rank_p, q_values(rank_p), between)


def judge_by_documents(tested: StandardisedMap) -> tuple[np.ndarray, np.ndarray]:
    """Return z and p of bins against the noise of their documents alone, as if tau2 were 0."""
    return _z_and_p(tested, np.zeros(tested.values.shape), np.full(tested.values.shape, np.inf))


def _between(null: StandardisedMap, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return tau2 of a null and its degrees of freedom, shape (bins, columns) each."""
    labels = np.zeros(len(null.values), dtype=int) if groups is None else groups
    between, freedom = np.zeros(null.values.shape), np.ones(null.values.shape)
    for group in np.unique(labels):
        in_group = labels == group
        used = np.ones(len(labels), dtype=bool) if groups is None else ~in_group
        for column in range(null.values.shape[1]):
            usable = used & np.isfinite(null.values[:, column])
            if usable.sum() > 1:
                freedom[in_group, column] = usable.sum() - 1
                between[in_group, column] = _two_steps(
                    null.values[usable, column], null.variances[usable, column], null.counts[usable]
                )
    return between, freedom


def _two_steps(y: np.ndarray, v: np.ndarray, counts: np.ndarray) -> float:
    """Estimate tau2 with weights from the counts, and again with that tau2 in the weights.

    Weights come from counts and not from ``v``: a bin whose documents agree by chance would get too much weight.
    """
    first = between_by_moments(y, v, counts.astype(float))
    return between_by_moments(y, v, 1 / (first + 1 / counts))


def _z_and_p(tested: StandardisedMap, between: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z and p given both variances; degrees of freedom by Satterthwaite (1946)."""
    total = between + tested.variances
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(total > 0, tested.values / np.sqrt(total), np.where(tested.values == 0, 0.0, np.nan))
        sampling_term = tested.variances**2 / np.where(tested.counts > 1, tested.counts - 1 + PRIOR_DF, np.nan)[:, None]
        df = np.where(total > 0, total**2 / (between**2 / freedom + sampling_term), 1.0)
    return z, two_sided_p(tested.values, np.sqrt(total), df)


def _rank_p(z: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return (1 + null bins that are as extreme) / (1 + null bins); NaN stays NaN."""
    known = np.sort(np.abs(reference[~np.isnan(reference)]))
    less_extreme = np.searchsorted(known, np.abs(z) * (1 - 1e-9))
    return np.where(np.isnan(z), np.nan, (1 + len(known) - less_extreme) / (1 + len(known)))
