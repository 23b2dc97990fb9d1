"""Everything that the documents and the query blocks are needed for: means, deviations, halves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.halves import document_halves, query_halves
from social_provenance.estimation.bootstrap.resample import (
    CHUNK,
    Groups,
    document_deviations,
    group_documents,
    interaction_variance,
    kish,
    query_deviations,
)
from social_provenance.estimation.bootstrap.uncertainty import Uncertainty
from social_provenance.estimation.maps.scored import Column, check_blocks
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps.scored import Scored


@dataclass(frozen=True)
class Blocks:
    """The scores by query block.

    Attributes:
        weights: Benchmark -> share of its queries that each block has.
        read: Column -> ``doc_id`` of each row and rows x blocks; None where there are no blocks.
    """

    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    read: Callable[[Column], tuple[np.ndarray, np.ndarray] | None] = lambda _: None


@dataclass(frozen=True)
class TwoWay:
    """The bins of scored documents, with what their draw and that of the queries does to them.

    Attributes:
        groups: The documents.
        means: Bins x columns: mean score, NaN where a bin is empty.
        uncertainty: Deviations of these means.
        document_halves: 2 x splits x bins x columns: means over either half of the documents.
        query_halves: The same over either half of the queries.
    """

    groups: Groups
    means: np.ndarray
    uncertainty: Uncertainty
    document_halves: np.ndarray
    query_halves: np.ndarray


def two_way(scored: Scored, bootstrap: Bootstrap, blocks: Blocks, chunk: int = CHUNK) -> TwoWay:
    """Resample documents and queries.

    Memory beyond the scores: deviations (2 x replicates x bins x columns, float32), one column's
    blocks, and the multipliers of ``chunk`` clusters.

    Args:
        scored: The documents.
        bootstrap: Replicates and seed.
        blocks: Scores by query block; a column without them has no uncertainty over queries.
        chunk: Clusters at a time; changes the last digits only.
    """
    groups = group_documents(scored.bins, scored.hashes, len(BINS))
    shape = (bootstrap.replicates, len(BINS), len(scored.columns))
    queries, interaction = np.zeros(shape, dtype=np.float32), np.zeros(shape[1:])
    query_df = np.full(shape[1:], np.inf)
    halves = []
    for place, column in enumerate(scored.columns):
        found = blocks.read(column)
        if found is None:
            halves.append(query_halves(np.full((len(BINS), 1), np.nan), np.ones(1), column[0], bootstrap.seed))
            continue
        weights = blocks.weights[column[0]]
        own = check_blocks(scored, place, *found, weights)[groups.order]
        means = groups.means(own)
        queries[..., place] = query_deviations(means, weights, column[0], bootstrap.replicates, bootstrap.seed)
        interaction[:, place] = interaction_variance(groups, own, weights, means)
        query_df[:, place] = kish(weights) - 1
        halves.append(query_halves(means, weights, column[0], bootstrap.seed))
    document_df = np.broadcast_to((groups.ess() - 1)[:, None], shape[1:])
    documents = document_deviations(groups, scored.scores, bootstrap.replicates, bootstrap.seed, chunk)
    return TwoWay(
        groups=groups,
        means=groups.means(scored.scores[groups.order]),
        uncertainty=Uncertainty(documents, queries, interaction, document_df, query_df),
        document_halves=document_halves(groups, scored.scores, bootstrap.seed),
        query_halves=np.stack(halves, axis=-1),
    )
