"""Baselines: BM25 against its formula token by token, cosines one by one, and the laws of any score."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from social_provenance.gradients.methods.baselines import (
    Bm25,
    Target,
    aim,
    block_directions,
    describe_chunk,
    nats_per_token,
    query_counts,
    score_chunk,
    unit,
)

from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import BASELINES, Baseline

if TYPE_CHECKING:
    from collections.abc import Sequence

    Tokens = Sequence[Sequence[int]]

VOCABULARY = 30
HIDDEN = 6
BLOCKS = [0, 2, 1, 0, 2, 2, 0]


def _rows(count: int, seed: int, shortest: int = 2) -> list[list[int]]:
    """Return token ids, frequent ones low; the last five of the vocabulary never occur."""
    rng = np.random.default_rng(seed)
    return [(rng.geometric(0.2, size=rng.integers(shortest, 25)) % (VOCABULARY - 5)).tolist() for _ in range(count)]


def _embeddings(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(loc=0.3, size=(count, HIDDEN)).astype(np.float32)


CORPUS, QUERIES = _rows(40, seed=0), _rows(len(BLOCKS), seed=1)
STATES, QUESTIONS = _embeddings(40, seed=2), _embeddings(len(BLOCKS), seed=3)
same = partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-6)  # cosines are of fp32
LOSSES = np.random.default_rng(4).uniform(1, 9, size=40).astype(np.float32)


def _fit(corpus: Tokens = CORPUS, batch: int = 40) -> Bm25:
    batches = (corpus[start : start + batch] for start in range(0, len(corpus), batch))
    return Bm25.fit(batches, VOCABULARY)


def _target(queries: Tokens = QUERIES, states: np.ndarray = QUESTIONS, blocks: Sequence[int] = BLOCKS) -> Target:
    return aim(BASELINES, queries, states, blocks, VOCABULARY)


def _scores(
    target: Target, places: Sequence[int] = range(40), methods: Sequence[Baseline] = BASELINES
) -> dict[Baseline, np.ndarray]:
    """Return the scores of some documents of the corpus."""
    tokens = [CORPUS[place] for place in places]
    rows = np.array(places, dtype=int)
    return score_chunk(describe_chunk(methods, tokens, STATES[rows], LOSSES[rows], _fit()), target)


def _literal_bm25(corpus: Tokens, document: Sequence[int], query: Sequence[int]) -> float:
    """Write the formula down, one token of the query after the other."""
    mean_length = sum(map(len, corpus)) / len(corpus)
    occurrences = Counter(document)
    total = 0.0
    for token in query:
        holders = sum(token in other for other in corpus)
        idf = math.log(1 + (len(corpus) - holders + 0.5) / (holders + 0.5))
        times = occurrences[token]
        total += idf * times / (times + 1.2 * (1 - 0.75 + 0.75 * len(document) / mean_length))
    return total


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / math.sqrt(one @ one) / math.sqrt(other @ other))


def _mean(values: np.ndarray, target: Target) -> np.ndarray:
    return values @ target.sizes / target.sizes.sum()


def test_bm25_is_the_mean_of_the_formula_over_the_queries_of_a_block() -> None:
    found = _scores(_target())["bm25"]
    for place, document in enumerate(CORPUS):
        each = np.array([_literal_bm25(CORPUS, document, query) for query in QUERIES])
        expected = [each[np.array(BLOCKS) == block].mean() for block in range(3)]
        np.testing.assert_allclose(found[place], expected, rtol=1e-12)


def test_bm25_by_hand() -> None:
    """Two documents of one and three tokens, mean length 2; token 0 in both, token 1 in one."""
    bm25 = Bm25.fit([[[0], [0, 1, 1]]], 3)
    assert bm25.mean_length == 2
    np.testing.assert_allclose(bm25.idf, np.log([1 + 0.5 / 2.5, 1 + 1.5 / 1.5, 1 + 2.5 / 0.5]))
    short, long = 1.2 * (0.25 + 0.75 * 0.5), 1.2 * (0.25 + 0.75 * 1.5)
    expected = [[np.log(1.2) / (1 + short), 0, 0], [np.log(1.2) / (1 + long), np.log(2) * 2 / (2 + long), 0]]
    np.testing.assert_allclose(bm25.weights([[0], [0, 1, 1]]).toarray(), expected)


def test_a_cosine_is_the_mean_over_the_queries_of_a_block() -> None:
    found = _scores(_target())["embedding"]
    each = np.array([[_cosine(state, question) for question in QUESTIONS] for state in STATES.astype(float)])
    for block in range(3):
        np.testing.assert_allclose(found[:, block], each[:, np.array(BLOCKS) == block].mean(axis=1), atol=1e-6)


def test_length_and_loss_are_the_documents_own_whatever_is_asked() -> None:
    found = _scores(_target())
    assert np.array_equal(found["length"], np.repeat([[len(row)] for row in CORPUS], 3, axis=1))
    assert np.array_equal(found["loss"], np.repeat(LOSSES[:, None].astype(float), 3, axis=1))


@pytest.mark.parametrize("method", BASELINES)
def test_the_mean_over_blocks_is_the_mean_over_queries(method: Baseline) -> None:
    blocks, one, each = _target(), _target(blocks=[0] * 7), _target(blocks=range(7))
    assert blocks.sizes.tolist() == [3, 1, 3]
    assert one.sizes.tolist() == [7]
    means = _scores(one)[method][:, 0]
    same(_mean(_scores(blocks)[method], blocks), means)
    same(_scores(each)[method].mean(axis=1), means)


@pytest.mark.parametrize("method", BASELINES)
def test_the_order_of_documents_does_not_matter(method: Baseline) -> None:
    order = np.random.default_rng(5).permutation(40).tolist()
    shuffled = _fit([CORPUS[place] for place in order])
    assert shuffled.mean_length == _fit().mean_length
    assert np.array_equal(shuffled.idf, _fit().idf)
    usual, other = _scores(_target())[method], _scores(_target(), order)[method]
    same(other, usual[order])


@pytest.mark.parametrize("method", BASELINES)
def test_the_order_of_queries_does_not_matter(method: Baseline) -> None:
    order = np.random.default_rng(6).permutation(7).tolist()
    other = _target([QUERIES[n] for n in order], QUESTIONS[order], [BLOCKS[n] for n in order])
    same(_scores(other)[method], _scores(_target())[method])


@pytest.mark.parametrize("batch", [1, 7, 39, 40, 1000])
def test_how_the_corpus_is_cut_does_not_matter(batch: int) -> None:
    whole, cut = _fit(), _fit(batch=batch)
    assert cut.mean_length == whole.mean_length
    assert np.array_equal(cut.idf, whole.idf)
    usual = _scores(_target())
    pieces = [_scores(_target(), range(start, min(40, start + batch))) for start in range(0, 40, batch)]
    for method in BASELINES:
        same(np.concatenate([piece[method] for piece in pieces]), usual[method])


@pytest.mark.parametrize("method", BASELINES)
def test_a_repeated_document_gets_equal_scores(method: Baseline) -> None:
    found = _scores(_target(), [4, 17, 4])[method]
    same(found[2], found[0])
    assert not np.allclose(found[1], found[0])


def test_only_the_methods_that_are_asked_for_are_computed() -> None:
    for methods in (BASELINES[:1], BASELINES[1:3], ()):
        target = aim(methods, QUERIES, QUESTIONS, BLOCKS, VOCABULARY)
        assert tuple(_scores(target, methods=methods)) == methods
    assert get_args(Baseline) == BASELINES == ("bm25", "embedding", "length", "loss")


def test_a_document_of_the_querys_tokens_outranks_one_without_any() -> None:
    query = [3, 5, 5, 9]
    corpus = [*CORPUS, query, [7, 8, 7, 8]]
    found = _fit(corpus, 42).weights(corpus) @ query_counts([query], [0], VOCABULARY).toarray()[0]
    assert found[41] == 0
    assert found[40] > 0
    assert found[40] == found.max()


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


def test_weights_grow_with_occurrences_fall_with_length_and_stay_below_the_idf() -> None:
    bm25 = _fit()
    rows = bm25.weights([[3] * times + [1] * (20 - times) for times in range(1, 20)]).toarray()[:, 3]
    assert (np.diff(rows) > 0).all()
    lengths = bm25.weights([[3] + [1] * rest for rest in range(20)]).toarray()[:, 3]
    assert (np.diff(lengths) < 0).all()
    assert rows.max() < bm25.idf[3]
    assert (bm25.idf > 0).all()


def test_rare_tokens_weigh_more() -> None:
    bm25 = _fit()
    holders = np.array([sum(token in row for row in CORPUS) for token in range(VOCABULARY)])
    order = np.argsort(holders, kind="stable")
    assert (np.diff(bm25.idf[order]) <= 0).all()
    assert (bm25.idf[-5:] == math.log(1 + 40.5 / 0.5)).all()  # never seen: weighs most, wherever it turns up


def test_lists_and_arrays_of_tokens_are_the_same() -> None:
    arrays = [np.array(row, dtype=np.uint16) for row in CORPUS]
    assert np.array_equal(Bm25.fit([arrays], VOCABULARY).idf, _fit().idf)
    assert (_fit().weights(arrays) != _fit().weights(CORPUS)).nnz == 0


def test_nothing_has_no_weight() -> None:
    bm25 = _fit([[], *CORPUS, []], 10)
    assert bm25.mean_length == sum(map(len, CORPUS)) / 42
    assert bm25.weights([[], []]).toarray().tolist() == [[0.0] * VOCABULARY] * 2
    assert bm25.weights([]).shape == (0, VOCABULARY)
    assert query_counts([[], [1, 1]], [0, 0], VOCABULARY).toarray()[0, :3].tolist() == [0, 1, 0]
    assert query_counts([[]], [0], VOCABULARY).toarray().tolist() == [[0.0] * VOCABULARY]
    assert {scores.shape for scores in _scores(_target(), []).values()} == {(0, 3)}
    unseen = query_counts([[28, 29]], [0], VOCABULARY)
    assert not (bm25.weights(CORPUS) @ unseen.T).toarray().any()


@pytest.mark.parametrize(("batches", "size"), [([], 5), ([[]], 5), ([[[], []]], 5), ([], 0), ([[[]]], 0)])
def test_a_corpus_without_a_token_is_refused(batches: Any, size: int) -> None:
    count = sum(map(len, batches))
    with pytest.raises(AttributionError, match=f"bm25 has no token to count in {count} documents: "):
        Bm25.fit(batches, size)


@pytest.mark.parametrize(("token", "size"), [(30, 30), (-1, 30), (0, 0)])
def test_a_token_beyond_the_vocabulary_is_refused(token: int, size: int) -> None:
    message = rf"token id {token} is not in the vocabulary of {size} tokens: .* model's own tokenizer"
    with pytest.raises(AttributionError, match=message):
        Bm25.fit([[[token]]], size)
    with pytest.raises(AttributionError, match=message):
        Bm25(np.ones(size), 2.0).weights([[token]])
    with pytest.raises(AttributionError, match=message):
        query_counts([[token]], [0], size)


@pytest.mark.parametrize(("blocks", "empty"), [([0, 2], 1), ([1, 1], 0), ([], 0)])
def test_a_block_without_queries_is_refused(blocks: list[int], empty: int) -> None:
    states = QUESTIONS[: len(blocks)]
    message = f"query block {empty} has no query: number the blocks from 0 without gaps"
    with pytest.raises(AttributionError, match=message):
        aim(["length"], QUERIES[: len(blocks)], states, blocks, VOCABULARY)
    with pytest.raises(AttributionError, match=message):
        block_directions(states, blocks)


def test_inputs_of_different_length_are_refused() -> None:
    with pytest.raises(AttributionError, match=r"the documents do not belong together \(40 tokens, 39 embeddings, 40"):
        describe_chunk(BASELINES, CORPUS, STATES[1:], LOSSES, _fit())
    with pytest.raises(AttributionError, match="40 embeddings, 39 losses"):
        describe_chunk(BASELINES, CORPUS, STATES, LOSSES[1:], _fit())
    with pytest.raises(AttributionError, match=r"the queries do not belong together \(7 tokens, 7 embeddings, 6"):
        _target(blocks=BLOCKS[1:])


def test_bm25_without_the_counts_of_the_corpus_is_refused() -> None:
    with pytest.raises(AttributionError, match="method 'bm25' needs the counts of the corpus"):
        describe_chunk(["bm25"], CORPUS, STATES, LOSSES)


def test_a_loss_a_token_does_not_depend_on_how_losses_are_reduced() -> None:
    """Seven tokens predict six."""
    lengths = np.array([7, 2])
    assert nats_per_token(np.array([12.0, 3.0]), lengths, "sum").tolist() == [2.0, 3.0]
    assert nats_per_token(np.array([2.0, 3.0]), lengths, "mean").tolist() == [2.0, 3.0]
