"""TrackStar is a cosine under the preconditioner: its formula in dense matrices, and what a cosine does not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from social_provenance.gradients.methods.score_files import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]
    Of = Callable[..., np.ndarray]

BLOCKS_OF_QUERIES = (0, 2, 1, 0, 2, 2, 0, 1, 1, 0, 2)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("damping", [0.01, 0.1, 10.0])
def test_a_score_is_the_mean_cosine_of_preconditioned_gradients(
    make_store: Maker, of: Of, numbers: Of, root_of: Of, damping: float
) -> None:
    corpus, queries = make_store(50, seed=1, shards=3), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    documents, asked = numbers(corpus), numbers(queries)
    root = root_of(corpus, queries, damping)
    by_query = _unit(documents @ root) @ _unit(asked @ root).T
    blocks = np.array(BLOCKS_OF_QUERIES)
    expected = np.array([by_query[:, blocks == block].mean(axis=1) for block in range(3)]).T
    scale = np.abs(by_query).max()
    np.testing.assert_allclose(of(corpus, queries, "trackstar", BLOCKS, damping=damping), expected, atol=1e-4 * scale)
    np.testing.assert_allclose(
        of(corpus, queries, "trackstar", damping=damping), by_query.mean(axis=1), atol=1e-4 * scale
    )
