"""Bin means, deviations and halves: everything that needs the documents and the query blocks."""

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
    """Scores by query block.

    Attributes:
        weights: Benchmark -> share of its queries that each block has, shape (blocks,).
        read: Function of a column that returns the ``doc_id`` of each row and the scores, shape (rows, blocks);
            None where the column has no blocks.
    """

    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    read: Callable[[Column], tuple[np.ndarray, np.ndarray] | None] = lambda _: None


@dataclass(frozen=True)
class TwoWay:
    """Bin means, with their deviations over resampled documents and queries.

    Attributes:
        groups: Documents by bin and cluster.
        means: Mean score, shape (bins, columns); NaN where a bin is empty.
        uncertainty: Deviations of these means.
        document_halves: Means over either half of the documents, shape (2, splits, bins, columns).
        query_halves: Means over either half of the queries, same shape.
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
        scored: Scored documents.
        bootstrap: Number of replicates, and seed.
        blocks: Scores by query block; a column without them has no uncertainty over queries.
        chunk: Clusters at a time; changes the last digits only.
    """
    groups = group_documents(scored.bins, scored.hashes, len(BINS))
    shape = (bootstrap.replicates, len(BINS), len(scored.columns))
    queries, interaction = np.zeros(shape, dtype=np.float32), np.zeros(shape[1:])
    query_df = np.full(shape[1:], np.inf)
    halves = []
    for index, column in enumerate(scored.columns):
        ids_and_blocks = blocks.read(column)
        if ids_and_blocks is None:
            halves.append(query_halves(np.full((len(BINS), 1), np.nan), np.ones(1), column[0], bootstrap.seed))
            continue
        weights = blocks.weights[column[0]]
        sorted_blocks = check_blocks(scored, index, *ids_and_blocks, weights)[groups.order]
        means = groups.means(sorted_blocks)
        queries[..., index] = query_deviations(means, weights, column[0], bootstrap.replicates, bootstrap.seed)
        interaction[:, index] = interaction_variance(groups, sorted_blocks, weights, means)
        query_df[:, index] = kish(weights) - 1
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
