"""How much of a topic's influence few documents carry."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from social_provenance.estimation.bootstrap.resample import without_rounding

TOP = 10
"""Documents that a share is counted for."""


def top_ten_share(
    scores: np.ndarray, bins: np.ndarray, counts: np.ndarray, centre: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return the share of each label's pull that its ten foremost documents carry.

    A label's z is the sum, over its documents, of (score - centre) / documents of the bin, in a unit
    that all of them share. The pull of a document is the size of its term, whatever the sign, so
    neither shift nor scale of the scores changes a share. It is at least 10 / documents, and 1 where a
    label has ten documents or fewer.

    Args:
        scores: Documents x columns.
        bins: Bin of each document.
        counts: Documents of each bin.
        centre: Of each column: mean over bins.
        labels: Of each bin: place of its label along an axis, from 0 without gaps.

    Returns:
        Labels x columns; NaN without documents, or where no document differs from the centre.
    """
    out = np.full((labels.max() + 1, scores.shape[1]), np.nan)
    own = labels[bins]
    order = np.argsort(own, kind="stable")
    bounds = np.searchsorted(own[order], np.arange(len(out) + 1))
    for label, (first, last) in enumerate(pairwise(bounds)):
        rows = order[first:last]
        pulls = np.abs(without_rounding(scores[rows] - centre, scores[rows])) / counts[bins[rows], None]
        foremost = np.partition(pulls, -TOP, axis=0)[-TOP:] if len(rows) > TOP else pulls
        total = pulls.sum(axis=0)
        np.divide(foremost.sum(axis=0), total, out=out[label], where=total > 0)
    return out
