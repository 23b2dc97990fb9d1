"""Okapi BM25 over the model's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.text_methods import TextMethod, block_means

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from social_provenance.gradients.methods.text_methods import Queries, TextCorpus, Texts

    Tokens = Sequence[Sequence[int]]

K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Bm25(TextMethod):
    """Okapi BM25 over token ids (Robertson and Zaragoza 2009, eq. 3.15).

    In a document of length L, a token t that occurs f times has the weight
    ``idf(t) * f / (f + k1 * (1 - b + b * L / mean_length))``, with k1 = 1.2, b = 0.75 and Lucene's
    ``idf(t) = log(1 + (N - df(t) + 0.5) / (df(t) + 0.5))``, which is never negative. The constant
    factor k1 + 1 of some variants changes no ranking and is left out. The score for a query is the sum
    of the weights of its tokens; one that occurs twice counts twice.

    Attributes:
        idf: Inverse document frequency of each token of the vocabulary, nats.
        mean_length: Mean number of tokens of a document.
    """

    idf: np.ndarray
    mean_length: float

    name = "bm25"

    @classmethod
    def fit(cls, corpus: TextCorpus) -> Self:
        batches = corpus.tokens.select_columns(["input_ids"]).iter(batch_size=corpus.chunk)
        return cls.count((batch["input_ids"] for batch in batches), corpus.vocab_size)

    @classmethod
    def count(cls, token_batches: Iterable[Tokens], vocab_size: int) -> Self:
        """Count in how many documents each token occurs.

        Args:
            token_batches: Batches of documents, each the token ids of a document; read once.
            vocab_size: Number of tokens in the vocabulary.

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

    def aim(self, queries: Queries, preconditioner: Any) -> Any:
        del preconditioner
        return query_counts(queries.tokens, queries.blocks, len(self.idf)).T.tocsr()

    def compute_features(self, texts: Texts) -> Any:
        return self.weights(texts.tokens)

    def weights(self, documents: Tokens) -> Any:
        """Return the weight of each token in each document.

        Args:
            documents: Token ids of each document.

        Returns:
            Sparse array (csr, fp64), documents x vocabulary.

        Raises:
            AttributionError: If a token is not in the vocabulary.
        """
        weights = _counts(documents, len(self.idf))
        lengths = np.repeat(weights.sum(axis=1), np.diff(weights.indptr))
        saturation = K1 * (1 - B + B * lengths / self.mean_length)
        weights.data = self.idf[weights.indices] * weights.data / (weights.data + saturation)
        return weights


def query_counts(queries: Tokens, blocks: Sequence[int], vocab_size: int) -> Any:
    """Return how often each token occurs in a query of each block, on average.

    BM25 is linear in these counts, so a document's weights times them are its mean score over the
    queries of a block. They are sparse because dense rows of a large vocabulary would not fit into
    memory for many benchmarks.

    Args:
        queries: Token ids of each query.
        blocks: Block of each query, from 0.
        vocab_size: Number of tokens in the vocabulary.

    Returns:
        Sparse array (csr, fp64), blocks x vocabulary.

    Raises:
        AttributionError: If a block has no query, or a token is not in the vocabulary.
    """
    return block_means(blocks) @ _counts(queries, vocab_size)


def _counts(rows: Tokens, vocab_size: int) -> Any:
    """Return how often each token occurs in each row: sparse (csr, fp64), rows x vocabulary."""
    from scipy.sparse import csr_array

    tokens = np.concatenate([np.empty(0, np.int64), *(np.asarray(row, dtype=np.int64) for row in rows)])
    outside = (tokens < 0) | (tokens >= vocab_size)
    if outside.any():
        raise AttributionError(
            f"token id {tokens[outside][0]} is not in the vocabulary of {vocab_size} tokens: give documents and "
            f"queries that the model's own tokenizer has tokenised"
        )
    ends = np.cumsum([0, *(len(row) for row in rows)])
    counts = csr_array((np.ones(len(tokens)), tokens, ends), shape=(len(rows), vocab_size))
    counts.sum_duplicates()
    return counts
