"""Concentration of influence: the share of a topic's total absolute influence that few documents have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from social_provenance.estimation.bootstrap.resample import without_rounding

TOP = 10
"""Number of documents whose share is reported."""


def top_ten_share(
    scores: np.ndarray, bins: np.ndarray, counts: np.ndarray, centre: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return the share of each label's total absolute influence that its top ten documents have.

    A label's z is the sum, over its documents, of (score - centre) / documents of the bin, in a common
    unit. The absolute influence of a document is the absolute value of its term, so neither shift nor scale
    of the scores changes a share. It is at least 10 / documents, and 1 where a label has ten documents or
    fewer.

    Args:
        scores: Scores, shape (documents, columns).
        bins: Bin of each document.
        counts: Number of documents of each bin.
        centre: Mean over bins, shape (columns,).
        labels: Index of each bin's label along an axis, from 0 without gaps, shape (bins,).

    Returns:
        Shares, shape (labels, columns); NaN without documents, or where no document differs from the centre.
    """
    shares = np.full((labels.max() + 1, scores.shape[1]), np.nan)
    document_labels = labels[bins]
    order = np.argsort(document_labels, kind="stable")
    bounds = np.searchsorted(document_labels[order], np.arange(len(shares) + 1))
    for label, (first, last) in enumerate(pairwise(bounds)):
        rows = order[first:last]
        influence = np.abs(without_rounding(scores[rows] - centre, scores[rows])) / counts[bins[rows], None]
        top = np.partition(influence, -TOP, axis=0)[-TOP:] if len(rows) > TOP else influence
        total = influence.sum(axis=0)
        np.divide(top.sum(axis=0), total, out=shares[label], where=total > 0)
    return shares
