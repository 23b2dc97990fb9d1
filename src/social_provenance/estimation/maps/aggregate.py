"""Influence of bins, topics and formats.

A bin's *potency* is the mean score of its documents: the effect of one document of it. Its
*contribution* is potency x prevalence: the effect of the bin in the corpus as it is. ``z`` standardises
potency over the bins within a benchmark (ddof 1, as the published tables do); a topic's ``z`` is the
unweighted mean over its bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.resample import without_rounding
from social_provenance.estimation.maps.concentration import top_ten_share
from social_provenance.estimation.maps.influence import AXES, Influence, label_indices
from social_provenance.estimation.maps.scored import gather_scored, widen
from social_provenance.estimation.maps.two_way import Blocks, two_way
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps.scored import Scored

GRID = (len(TOPICS), len(FORMATS))


def aggregate(
    scores: pd.DataFrame,
    labels: pd.DataFrame,
    prevalence: pd.DataFrame,
    bootstrap: Bootstrap,
    blocks: Blocks | None = None,
) -> Influence:
    """Aggregate a table of document scores over the bins.

    Args:
        scores: Table ``document_scores``.
        labels: ``doc_id``, ``topic``, ``format`` of the working set, and optionally
            ``cluster_id`` and ``bin_rank`` (:func:`social_provenance.estimation.maps.scored.gather_scored`).
        prevalence: Table ``bin_prevalence``.
        bootstrap: Replicates, level and seed of the intervals.
        blocks: Scores by query block; without them the intervals are over documents only.

    Raises:
        AttributionError: If scores, blocks and labels are not of the same documents.
    """
    return aggregate_scored(gather_scored(widen(scores), labels), prevalence, bootstrap, blocks)


def aggregate_scored(
    scored: Scored, prevalence: pd.DataFrame, bootstrap: Bootstrap, blocks: Blocks | None = None
) -> Influence:
    """Aggregate scored documents over the bins.

    Args:
        scored: Scored documents.
        prevalence: Table ``bin_prevalence``.
        bootstrap: Replicates, level and seed of the intervals.
        blocks: Scores by query block; without them the intervals are over documents only.

    Raises:
        AttributionError: If scores and blocks are not of the same documents.
    """
    estimates = two_way(scored, bootstrap, blocks or Blocks())
    centre = np.nanmean(estimates.means, axis=0)
    centred = without_rounding(estimates.means - centre, estimates.means)
    spread = _spread(centred)
    share = prevalence.set_index(["topic", "format"])["share"].loc[list(BINS)].to_numpy()
    counts = estimates.groups.counts
    return Influence(
        columns=scored.columns,
        counts=counts.reshape(GRID),
        ess=estimates.groups.ess().reshape(GRID),
        potency=estimates.means.reshape(*GRID, -1),
        z=(centred / spread).reshape(*GRID, -1),
        spread=spread,
        share=share.reshape(GRID),
        confidence=bootstrap.confidence,
        uncertainty=estimates.uncertainty,
        halves={"documents": estimates.document_halves, "queries": estimates.query_halves},
        top_ten={axis: top_ten_share(scored.scores, scored.bins, counts, centre, label_indices(axis)) for axis in AXES},
    )


def _spread(centred: np.ndarray) -> np.ndarray:
    """Return the standard deviation over bins of each column; 1 where bins do not differ."""
    filled = centred[np.isfinite(centred).all(axis=1)]
    spread = np.sqrt((filled**2).sum(axis=0) / max(len(filled) - 1, 1))
    return np.where(spread > 0, spread, 1.0)
