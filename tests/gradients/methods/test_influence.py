"""Influence is an inner product under the preconditioner: its formula in dense matrices, and its linearity."""

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


@pytest.mark.parametrize("damping", [0.01, 0.1, 10.0])
def test_a_score_is_the_mean_inner_product_of_preconditioned_gradients(
    make_store: Maker, of: Of, numbers: Of, root_of: Of, damping: float
) -> None:
    corpus, queries = make_store(50, seed=1, shards=3), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    documents, asked = numbers(corpus), numbers(queries)
    root = root_of(corpus, queries, damping)
    by_query = documents @ root @ root @ asked.T
    blocks = np.array(BLOCKS_OF_QUERIES)
    expected = np.array([by_query[:, blocks == block].mean(axis=1) for block in range(3)]).T
    scale = np.abs(by_query).max()
    np.testing.assert_allclose(of(corpus, queries, "influence", BLOCKS, damping=damping), expected, atol=1e-4 * scale)
    np.testing.assert_allclose(
        of(corpus, queries, "influence", damping=damping), by_query.mean(axis=1), atol=1e-4 * scale
    )


def test_scores_are_linear_in_a_documents_gradient(make_store: Maker, of: Of, numbers: Of) -> None:
    gradients = numbers(make_store(50, seed=1))
    gradients[1] = 3 * gradients[0]
    gradients[4] = gradients[2] + 0.5 * gradients[3]
    scores = of(make_store(gradients=gradients), make_store(11, seed=2), "influence")
    assert scores[1] == pytest.approx(3 * scores[0], rel=1e-4)
    assert scores[4] == pytest.approx(scores[2] + 0.5 * scores[3], rel=1e-3)
