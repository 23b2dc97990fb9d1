"""BM25 against its formula token by token, and the laws of any score."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.bm25 import Bm25, query_counts
from social_provenance.gradients.methods.text_methods import Queries, Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    Tokens = Sequence[Sequence[int]]

VOCABULARY = 30
BLOCKS = [0, 2, 1, 0, 2, 2, 0]


def _rows(count: int, seed: int, shortest: int = 2) -> list[list[int]]:
    """Return token ids, frequent ones low; the last five of the vocabulary never occur."""
    rng = np.random.default_rng(seed)
    return [(rng.geometric(0.2, size=rng.integers(shortest, 25)) % (VOCABULARY - 5)).tolist() for _ in range(count)]


CORPUS, QUERIES = _rows(40, seed=0), _rows(len(BLOCKS), seed=1)


def _fit(corpus: Tokens = CORPUS, batch: int = 40) -> Bm25:
    batches = (corpus[start : start + batch] for start in range(0, len(corpus), batch))
    return Bm25.count(batches, VOCABULARY)


def _scores(places: Sequence[int] = range(40), queries: Tokens = QUERIES, blocks: Sequence[int] = BLOCKS) -> np.ndarray:
    """Return the scores of some documents of the corpus, documents x blocks."""
    tokens = [CORPUS[place] for place in places]
    documents = Texts(tokens, np.ones((len(tokens), 1)), np.ones(len(tokens)))
    asked = Queries(queries, np.ones((len(queries), 1)), blocks)
    bm25 = _fit()
    return bm25.multiply(bm25.describe(documents, None), bm25.aim(asked, None))


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


def test_a_score_is_the_mean_of_the_formula_over_the_queries_of_a_block() -> None:
    found = _scores()
    for place, document in enumerate(CORPUS):
        each = np.array([_literal_bm25(CORPUS, document, query) for query in QUERIES])
        expected = [each[np.array(BLOCKS) == block].mean() for block in range(3)]
        np.testing.assert_allclose(found[place], expected, rtol=1e-12)


def test_two_documents_by_hand() -> None:
    """Two documents of one and three tokens, mean length 2; token 0 in both, token 1 in one."""
    bm25 = Bm25.count([[[0], [0, 1, 1]]], 3)
    assert bm25.mean_length == 2
    np.testing.assert_allclose(bm25.idf, np.log([1 + 0.5 / 2.5, 1 + 1.5 / 1.5, 1 + 2.5 / 0.5]))
    short, long = 1.2 * (0.25 + 0.75 * 0.5), 1.2 * (0.25 + 0.75 * 1.5)
    expected = [[np.log(1.2) / (1 + short), 0, 0], [np.log(1.2) / (1 + long), np.log(2) * 2 / (2 + long), 0]]
    np.testing.assert_allclose(bm25.weights([[0], [0, 1, 1]]).toarray(), expected)


def test_the_mean_over_blocks_is_the_mean_over_queries() -> None:
    sizes = np.bincount(BLOCKS)
    means = _scores(blocks=[0] * 7)[:, 0]
    np.testing.assert_allclose(_scores() @ sizes / sizes.sum(), means)
    np.testing.assert_allclose(_scores(blocks=range(7)).mean(axis=1), means)


def test_the_order_of_documents_and_of_queries_does_not_matter() -> None:
    order = np.random.default_rng(5).permutation(40).tolist()
    shuffled = _fit([CORPUS[place] for place in order])
    assert shuffled.mean_length == _fit().mean_length
    assert np.array_equal(shuffled.idf, _fit().idf)
    np.testing.assert_allclose(_scores(order), _scores()[order])
    turned = np.random.default_rng(6).permutation(7).tolist()
    other = _scores(queries=[QUERIES[n] for n in turned], blocks=[BLOCKS[n] for n in turned])
    np.testing.assert_allclose(other, _scores())


@pytest.mark.parametrize("batch", [1, 7, 39, 40, 1000])
def test_how_the_corpus_is_cut_does_not_matter(batch: int) -> None:
    whole, cut = _fit(), _fit(batch=batch)
    assert cut.mean_length == whole.mean_length
    assert np.array_equal(cut.idf, whole.idf)
    pieces = [_scores(range(start, min(40, start + batch))) for start in range(0, 40, batch)]
    np.testing.assert_allclose(np.concatenate(pieces), _scores())


def test_a_document_of_the_querys_tokens_outranks_one_without_any() -> None:
    query = [3, 5, 5, 9]
    corpus = [*CORPUS, query, [7, 8, 7, 8]]
    found = _fit(corpus, 42).weights(corpus) @ query_counts([query], [0], VOCABULARY).toarray()[0]
    assert found[41] == 0
    assert found[40] > 0
    assert found[40] == found.max()


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
    assert np.array_equal(Bm25.count([arrays], VOCABULARY).idf, _fit().idf)
    assert (_fit().weights(arrays) != _fit().weights(CORPUS)).nnz == 0


def test_nothing_has_no_weight() -> None:
    bm25 = _fit([[], *CORPUS, []], 10)
    assert bm25.mean_length == sum(map(len, CORPUS)) / 42
    assert bm25.weights([[], []]).toarray().tolist() == [[0.0] * VOCABULARY] * 2
    assert bm25.weights([]).shape == (0, VOCABULARY)
    assert query_counts([[], [1, 1]], [0, 0], VOCABULARY).toarray()[0, :3].tolist() == [0, 1, 0]
    assert query_counts([[]], [0], VOCABULARY).toarray().tolist() == [[0.0] * VOCABULARY]
    assert _scores([]).shape == (0, 3)
    unseen = query_counts([[28, 29]], [0], VOCABULARY)
    assert not (bm25.weights(CORPUS) @ unseen.T).toarray().any()


@pytest.mark.parametrize(("batches", "size"), [([], 5), ([[]], 5), ([[[], []]], 5), ([], 0), ([[[]]], 0)])
def test_a_corpus_without_a_token_is_refused(batches: Any, size: int) -> None:
    count = sum(map(len, batches))
    with pytest.raises(AttributionError, match=f"bm25 has no token to count in {count} documents: "):
        Bm25.count(batches, size)


@pytest.mark.parametrize(("token", "size"), [(30, 30), (-1, 30), (0, 0)])
def test_a_token_beyond_the_vocabulary_is_refused(token: int, size: int) -> None:
    message = rf"token id {token} is not in the vocabulary of {size} tokens: .* model's own tokenizer"
    with pytest.raises(AttributionError, match=message):
        Bm25.count([[[token]]], size)
    with pytest.raises(AttributionError, match=message):
        Bm25(np.ones(size), 2.0).weights([[token]])
    with pytest.raises(AttributionError, match=message):
        query_counts([[token]], [0], size)
