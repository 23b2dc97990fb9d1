"""The cosine of mean hidden states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.gradients.methods.text_methods import TextMethod, block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.gradients.methods.text_methods import Queries, Texts


class Embedding(TextMethod):
    """Cosine of the mean last hidden states: ``h(m) . h(q) / (|h(m)| |h(q)|)``."""

    name = "embedding"

    def aim(self, queries: Queries, preconditioner: Any) -> np.ndarray:
        del preconditioner
        return block_directions(queries.states, queries.blocks).T

    def compute_features(self, texts: Texts) -> np.ndarray:
        return unit(texts.states)


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows of length 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, np.finfo(norms.dtype).tiny))


def block_directions(embeddings: np.ndarray, blocks: Sequence[int]) -> np.ndarray:
    """Return the mean of the queries' unit embeddings in each block.

    A unit embedding times it is the mean cosine with the queries of the block.

    Args:
        embeddings: Queries x hidden size.
        blocks: Block of each query, from 0.

    Returns:
        Blocks x hidden size.

    Raises:
        AttributionError: If a block has no query.
    """
    rows = unit(embeddings)
    return np.asarray(block_means(blocks) @ rows, dtype=rows.dtype)
