"""Mean hidden states: cosines one by one, and what a cosine does not see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.embedding import Embedding, block_directions, unit
from social_provenance.gradients.methods.text_methods import Queries, Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN = 6
BLOCKS = [0, 2, 1, 0, 2, 2, 0]


def _embeddings(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(loc=0.3, size=(count, HIDDEN)).astype(np.float32)


STATES, QUESTIONS = _embeddings(40, seed=2), _embeddings(len(BLOCKS), seed=3)


def _scores(
    states: np.ndarray = STATES, questions: np.ndarray = QUESTIONS, blocks: Sequence[int] = BLOCKS
) -> np.ndarray:
    documents = Texts([[1]] * len(states), states, np.ones(len(states)))
    queries = Queries([[1]] * len(questions), questions, blocks)
    method = Embedding()
    return method.multiply(method.describe(documents, None), method.aim(queries, None))


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / math.sqrt(one @ one) / math.sqrt(other @ other))


def test_a_score_is_the_mean_cosine_over_the_queries_of_a_block() -> None:
    found = _scores()
    each = np.array([[_cosine(state, question) for question in QUESTIONS] for state in STATES.astype(float)])
    for block in range(3):
        np.testing.assert_allclose(found[:, block], each[:, np.array(BLOCKS) == block].mean(axis=1), atol=1e-6)


def test_neither_the_order_of_queries_nor_that_of_documents_matters() -> None:
    order = np.random.default_rng(6).permutation(7)
    np.testing.assert_allclose(
        _scores(questions=QUESTIONS[order], blocks=np.array(BLOCKS)[order]), _scores(), atol=1e-6
    )
    np.testing.assert_allclose(_scores(STATES[::-1]), _scores()[::-1], atol=1e-6)


def test_an_embedding_equal_to_the_query_up_to_scale_scores_one() -> None:
    directions = block_directions(3 * STATES[[11]], [0])
    found = (unit(STATES) @ directions.T)[:, 0]
    assert found[11] == pytest.approx(1, abs=1e-6)
    assert (np.delete(found, 11) < 1 - 1e-6).all()


def test_only_the_direction_of_an_embedding_counts() -> None:
    scale = np.random.default_rng(7).uniform(0.1, 9, size=(7, 1)).astype(np.float32)
    np.testing.assert_allclose(
        block_directions(scale * QUESTIONS, BLOCKS), block_directions(QUESTIONS, BLOCKS), atol=1e-6
    )
    zero = unit(np.zeros((1, HIDDEN), dtype=np.float32))
    assert np.array_equal(zero, np.zeros((1, HIDDEN)))


@pytest.mark.parametrize(("blocks", "empty"), [([0, 2], 1), ([1, 1], 0), ([], 0)])
def test_a_block_without_queries_is_refused(blocks: list[int], empty: int) -> None:
    with pytest.raises(AttributionError, match=f"query block {empty} has no query: number the blocks from 0"):
        block_directions(QUESTIONS[: len(blocks)], blocks)
