"""The plain cosine: its formula, what a cosine does not see, and that no second moment has a part in it."""

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
def test_a_score_is_the_mean_cosine_of_gradients_whatever_the_damping(
    make_store: Maker, of: Of, numbers: Of, damping: float
) -> None:
    corpus, queries = make_store(50, seed=1, shards=3), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    documents, asked = numbers(corpus), numbers(queries)
    by_query = _unit(documents) @ _unit(asked).T
    blocks = np.array(BLOCKS_OF_QUERIES)
    expected = np.array([by_query[:, blocks == block].mean(axis=1) for block in range(3)]).T
    scale = np.abs(by_query).max()
    np.testing.assert_allclose(
        of(corpus, queries, "gradient_cosine", BLOCKS, damping=damping), expected, atol=1e-4 * scale
    )
    np.testing.assert_allclose(
        of(corpus, queries, "gradient_cosine", damping=damping), by_query.mean(axis=1), atol=1e-4 * scale
    )


def test_a_document_does_not_change_the_scores_of_others(make_store: Maker, of: Of, numbers: Of) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2)
    fewer = of(make_store(gradients=numbers(corpus)[:20]), queries, "gradient_cosine")
    np.testing.assert_allclose(fewer, of(corpus, queries, "gradient_cosine")[:20], atol=1e-6)
