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


@pytest.mark.parametrize(("documents", "questions"), [(100.0, 1.0), (1.0, 0.01), (7.0, 20.0), (1e-6, 1e6)])
def test_the_scale_of_either_loss_does_not_matter(
    make_store: Maker, of: Of, numbers: Of, documents: float, questions: float
) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    scaled = of(
        make_store(gradients=documents * numbers(corpus)),
        make_store(gradients=questions * numbers(queries), blocks=BLOCKS_OF_QUERIES),
        "trackstar",
        BLOCKS,
    )
    usual = of(corpus, queries, "trackstar", BLOCKS)
    np.testing.assert_allclose(scaled, usual, rtol=0, atol=1e-4 * np.abs(usual).max())


def test_a_document_that_is_the_query_has_a_cosine_of_one(make_store: Maker, of: Of, numbers: Of) -> None:
    gradients = numbers(make_store(50, seed=1))
    scores = of(make_store(gradients=gradients), make_store(gradients=gradients[[8]]), "trackstar")
    assert scores[8] == pytest.approx(1.0, abs=1e-5)
    assert np.abs(np.delete(scores, 8)).max() < 0.999


def test_the_length_of_a_documents_gradient_does_not_matter(make_store: Maker, of: Of, numbers: Of) -> None:
    gradients = numbers(make_store(50, seed=1))
    gradients[1] = 3 * gradients[0]
    scores = of(make_store(gradients=gradients), make_store(11, seed=2), "trackstar")
    assert scores[1] == pytest.approx(scores[0], rel=1e-4)
