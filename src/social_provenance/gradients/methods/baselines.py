"""Scores without a gradient: what a document's words, meaning, length and loss alone say.

Each is a product of features of the documents with directions of the queries, like the scores from
gradients, so documents go through in chunks of any size. A gradient method that agrees with one of
these (``settings.BASELINES``) has found no more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from social_provenance.errors import AttributionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from social_provenance.gradients.settings import Baseline

    Tokens = Sequence[Sequence[int]]

K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Bm25:
    """Okapi BM25 over token ids (Robertson and Zaragoza 2009, eq. 3.15).

    A document of length L with f occurrences of token t has for it the weight
    ``idf(t) * f / (f + k1 * (1 - b + b * L / mean_length))``, with k1 = 1.2, b = 0.75 and Lucene's
    ``idf(t) = log(1 + (N - df(t) + 0.5) / (df(t) + 0.5))``, which is never negative. The constant
    factor k1 + 1 of some variants orders nothing and is left out. The score for a query is the sum of
    the weights of its tokens, one that occurs twice counted twice.

    Attributes:
        idf: Of each token of the vocabulary, nats.
        mean_length: Tokens of a document.
    """

    idf: np.ndarray
    mean_length: float

    @classmethod
    def fit(cls, token_batches: Iterable[Tokens], vocab_size: int) -> Self:
        """Count in how many documents each token occurs.

        Args:
            token_batches: Batches of documents, each the token ids of a document; read once.
            vocab_size: Tokens of the vocabulary.

        Raises:
            AttributionError: If there is no token at all, or one is not in the vocabulary.
        """
        frequency = np.zeros(vocab_size, dtype=np.int64)
        documents = tokens = 0
        for batch in token_batches:
            counts = _counts(batch, vocab_size)
            frequency += np.bincount(counts.indices, minlength=vocab_size)
            documents += counts.shape[0]
            tokens += int(counts.sum())
        if not tokens:
            raise AttributionError(f"bm25 has no token to count in {documents} documents: give it the working set")
        return cls(np.log1p((documents - frequency + 0.5) / (frequency + 0.5)), tokens / documents)

    def weights(self, documents: Tokens) -> Any:
        """Return the weight of each token in each document.

        Args:
            documents: Token ids of each.

        Returns:
            Sparse array (csr, fp64), documents x vocabulary.

        Raises:
            AttributionError: If a token is not in the vocabulary.
        """
        weights = _counts(documents, len(self.idf))
        lengths = np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
        damping = K1 * (1 - B + B * lengths / self.mean_length)
        weights.data = self.idf[weights.indices] * weights.data / (weights.data + damping)
        return weights


def query_counts(queries: Tokens, blocks: Sequence[int], vocab_size: int) -> Any:
    """Return how often each token occurs in a query of each block, on average.

    BM25 is linear in these counts, so a document's weights times them are its mean score over the
    queries of a block. Few tokens of a large vocabulary occur: dense, they would not fit into memory
    for many benchmarks.

    Args:
        queries: Token ids of each.
        blocks: Block of each, from 0.
        vocab_size: Tokens of the vocabulary.

    Returns:
        Sparse array (csr, fp64), blocks x vocabulary.

    Raises:
        AttributionError: If a block has no query, or a token is not in the vocabulary.
    """
    return _averaging(blocks) @ _counts(queries, vocab_size)


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
    return np.asarray(_averaging(blocks) @ rows, dtype=rows.dtype)


@dataclass(frozen=True)
class Target:
    """One set of queries, ready to be compared with documents.

    Attributes:
        directions: Method -> numbers x blocks: mean over a block's queries of what the features of a
            document are multiplied with.
        sizes: Queries of each block. A document's score is the mean over blocks weighted by them.
    """

    directions: Mapping[Baseline, Any]
    sizes: np.ndarray


def aim(
    methods: Sequence[Baseline], tokens: Tokens, embeddings: np.ndarray, blocks: Sequence[int], vocab_size: int
) -> Target:
    """Make queries ready for comparison.

    Args:
        methods: Baselines to score by.
        tokens: Token ids of each query, prompt and answer.
        embeddings: Queries x hidden size: mean last hidden state.
        blocks: Block of each query, from 0.
        vocab_size: Tokens of the vocabulary.

    Raises:
        AttributionError: If the inputs differ in length, a block has no query, or a token is not in
            the vocabulary.
    """
    _refuse_uneven("queries", tokens=tokens, embeddings=embeddings, blocks=blocks)
    sizes = _block_sizes(blocks)
    directions: dict[Baseline, Any] = {}
    for method in methods:
        if method == "bm25":
            directions[method] = query_counts(tokens, blocks, vocab_size).T.tocsr()
        elif method == "embedding":
            directions[method] = block_directions(embeddings, blocks).T
        else:  # a property of the document, whatever is asked
            directions[method] = np.ones((1, len(sizes)))
    return Target(directions, sizes)


def describe_chunk(
    methods: Sequence[Baseline], tokens: Tokens, embeddings: np.ndarray, losses: np.ndarray, bm25: Bm25 | None = None
) -> dict[Baseline, Any]:
    """Return the features of some documents; they serve every set of queries.

    Args:
        methods: Baselines to score by.
        tokens: Token ids of each document.
        embeddings: Documents x hidden size: mean last hidden state.
        losses: Nats a token of each document (:func:`nats_per_token`).
        bm25: Of the whole corpus; only the method of this name needs it.

    Returns:
        Method -> documents x numbers, dense or sparse.

    Raises:
        AttributionError: If the inputs differ in length, a token is not in the vocabulary, or the
            counts of bm25 are missing.
    """
    _refuse_uneven("documents", tokens=tokens, embeddings=embeddings, losses=losses)
    features: dict[Baseline, Any] = {}
    for method in methods:
        if method == "bm25":
            if bm25 is None:
                raise AttributionError("method 'bm25' needs the counts of the corpus: fit them before scoring")
            features[method] = bm25.weights(tokens)
        elif method == "embedding":
            features[method] = unit(embeddings)
        elif method == "length":
            features[method] = np.array([[len(row)] for row in tokens], dtype=np.float64).reshape(-1, 1)
        else:
            features[method] = np.asarray(losses, dtype=np.float64)[:, None]
    return features


def score_chunk(features: Mapping[Baseline, Any], target: Target) -> dict[Baseline, np.ndarray]:
    """Return the mean score of some documents over each query block.

    Args:
        features: Of the documents (:func:`describe_chunk`).
        target: The queries, aimed at by the same methods.

    Returns:
        Method -> documents x blocks, fp64.
    """
    scores: dict[Baseline, np.ndarray] = {}
    for method, direction in target.directions.items():
        product = features[method] @ direction
        dense = product.toarray() if method == "bm25" else product
        scores[method] = np.asarray(dense, dtype=np.float64)
    return scores


def nats_per_token(losses: np.ndarray, lengths: np.ndarray, loss_reduction: str) -> np.ndarray:
    """Return the loss of documents on a token; the first token of each is not predicted.

    Args:
        losses: Loss of each, nats, reduced as set.
        lengths: Tokens of each, at least two.
        loss_reduction: ``sum`` or ``mean``.
    """
    return losses / (lengths - 1) if loss_reduction == "sum" else losses


def _counts(rows: Tokens, vocab_size: int) -> Any:
    """Return how often each token occurs in each row: sparse (csr, fp64), rows x vocabulary."""
    from scipy.sparse import csr_array

    tokens = np.concatenate([np.empty(0, np.int64), *(np.asarray(row, dtype=np.int64) for row in rows)])
    outside = (tokens < 0) | (tokens >= vocab_size)
    if outside.any():
        raise AttributionError(
            f"token id {tokens[outside][0]} is not in the vocabulary of {vocab_size} tokens: documents and queries "
            f"must be tokenised by the model's own tokenizer"
        )
    ends = np.cumsum([0, *(len(row) for row in rows)])
    counts = csr_array((np.ones(len(tokens)), tokens, ends), shape=(len(rows), vocab_size))
    counts.sum_duplicates()
    return counts


def _averaging(blocks: Sequence[int]) -> Any:
    """Return the sparse array (csr), blocks x queries, that takes means over the queries of a block."""
    from scipy.sparse import csr_array

    sizes = _block_sizes(blocks)
    places = (np.asarray(blocks), np.arange(len(blocks)))
    return csr_array((1 / sizes[places[0]], places), shape=(len(sizes), len(blocks)))


def _block_sizes(blocks: Sequence[int]) -> np.ndarray:
    sizes = np.bincount(np.asarray(blocks, dtype=np.int64))
    if not len(sizes) or not sizes.all():
        empty = int(np.argmin(sizes)) if len(sizes) else 0
        raise AttributionError(f"query block {empty} has no query: number the blocks from 0 without gaps")
    return sizes


def _refuse_uneven(what: str, **columns: Any) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise AttributionError(f"the {what} do not belong together ({found}): run the attribution pipeline again")
