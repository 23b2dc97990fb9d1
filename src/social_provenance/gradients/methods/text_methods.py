"""Methods without a gradient, on what the walk keeps beside the gradients: the baselines.

A gradient method that agrees with one of them has shown no more than the baseline.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.base import Benchmark, Corpus, Needs, ProductMethod, Variant
from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from datasets import Dataset

    from social_provenance.gradients.walk.store import GradientStore

    Tokens = Sequence[Sequence[int]]

CHUNK = 8192
"""Documents read at a time, where nothing else is said; it changes no score."""


class TextMethod(ProductMethod):
    """A method on tokens, losses and mean hidden states."""

    needs: ClassVar[Needs] = "texts"

    @abstractmethod
    def compute_features(self, texts: Texts) -> Any:
        """Return the features of documents, documents x dimensions, dense or sparse."""

    def aim(self, queries: Queries, preconditioner: Any) -> Any:
        """Return dimensions x blocks: the mean direction over the queries of each block.

        By default a single 1 for each block: a property of the document, whatever the benchmark is.
        """
        del preconditioner
        return np.ones((1, len(queries.block_sizes)))

    def describe(self, documents: Texts, preconditioner: Any) -> Any:
        del preconditioner
        # The same for every benchmark: computed for the first, looked up for the others.
        if self.name not in documents.features:
            documents.features[self.name] = self.compute_features(documents)
        return documents.features[self.name]

    def multiply(self, features: Any, directions: Any) -> np.ndarray:
        product = features @ directions
        dense = product if isinstance(product, np.ndarray) else product.toarray()
        return np.asarray(dense, dtype=np.float64)


@dataclass(frozen=True)
class Texts:
    """A chunk of documents without gradients.

    Attributes:
        tokens: Token ids of each document.
        states: Mean last hidden states, documents x hidden size.
        losses: Nats per token, shape (documents,).
        features: Method -> its features, once they are computed.
    """

    tokens: Tokens
    states: np.ndarray
    losses: np.ndarray
    features: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        _refuse_uneven("documents", tokens=self.tokens, states=self.states, losses=self.losses)


@dataclass(frozen=True)
class Queries:
    """The items of a benchmark without gradients.

    Attributes:
        tokens: Token ids of each item, prompt and answer.
        states: Mean last hidden states, items x hidden size.
        blocks: Block of each item, from 0.
    """

    tokens: Tokens
    states: np.ndarray
    blocks: Sequence[int]

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        _refuse_uneven("queries", tokens=self.tokens, states=self.states, blocks=self.blocks)

    @cached_property
    def block_sizes(self) -> np.ndarray:
        """Number of queries of each block.

        Raises:
            AttributionError: If a block has no query.
        """
        return block_sizes(self.blocks)


@dataclass(frozen=True)
class TextCorpus(Corpus):
    """Documents and queries without gradients.

    Attributes:
        tokens: ``doc_id``, ``input_ids`` of each document.
        store: Store of the same documents: losses and mean hidden states.
        queries: Table ``queries``.
        gradients: Benchmark -> variant -> store of its queries: mean hidden states.
        vocab_size: Number of tokens in the vocabulary.
        chunk: Documents read at a time.
    """

    tokens: Dataset
    store: GradientStore
    queries: pd.DataFrame
    gradients: Mapping[str, Mapping[str, GradientStore]]
    vocab_size: int
    chunk: int = CHUNK

    def benchmarks(self, names: Iterable[str]) -> dict[str, Benchmark]:
        """Return the benchmarks; their nulls are left out, which baselines are not judged by."""
        items = {name: self._items(name) for name in names}
        return {name: Benchmark(name, {ITEMS: Variant(asked, asked.block_sizes)}) for name, asked in items.items()}

    def _items(self, benchmark: str) -> Queries:
        table = self.queries
        items = table[(table["benchmark"] == benchmark) & (table["variant"] == ITEMS)].set_index("item")
        ((rows, states),) = self.gradients[benchmark][ITEMS].states()
        items = items.loc[rows["id"]]
        tokens = [[*prompt, *answer] for prompt, answer in zip(items["prompt_ids"], items["answer_ids"], strict=True)]
        return Queries(tokens, states, items["block"].tolist())

    def chunks(self) -> Iterator[tuple[pd.DataFrame, Texts]]:
        """Yield columns of some documents and their texts, in the order of the store.

        Raises:
            AttributionError: Naming a document of the store that has no tokens.
        """
        positions = {doc_id: position for position, doc_id in enumerate(self.tokens["doc_id"])}
        reduction = self.store.identity["loss_reduction"]
        for table, states in self.store.states():
            for start in range(0, len(table), self.chunk):
                rows = table.iloc[start : start + self.chunk]
                missing = [doc_id for doc_id in rows["id"] if doc_id not in positions]
                if missing:
                    raise AttributionError(
                        f"document {missing[0]!r} has a gradient and no tokens: run the attribution pipeline from its "
                        f"start"
                    )
                tokens = self.tokens[[positions[doc_id] for doc_id in rows["id"]]]["input_ids"]
                losses = nats_per_token(rows["loss"].to_numpy(), rows["tokens"].to_numpy(), reduction)
                yield rows, Texts(tokens, states[start : start + self.chunk], losses)


def nats_per_token(losses: np.ndarray, lengths: np.ndarray, loss_reduction: str) -> np.ndarray:
    """Return the loss of documents per predicted token; the first token of each is not predicted.

    Args:
        losses: Loss of each document, nats, reduced by ``loss_reduction``.
        lengths: Tokens of each document, at least two.
        loss_reduction: ``sum`` or ``mean``.
    """
    return losses / (lengths - 1) if loss_reduction == "sum" else losses


def block_sizes(blocks: Sequence[int]) -> np.ndarray:
    """Return the number of queries of each block.

    Args:
        blocks: Block of each query, from 0.

    Raises:
        AttributionError: If a block has no query.
    """
    sizes = np.bincount(np.asarray(blocks, dtype=np.int64))
    if not len(sizes) or not sizes.all():
        empty = int(np.argmin(sizes)) if len(sizes) else 0
        raise AttributionError(f"query block {empty} has no query: number the blocks from 0 without gaps")
    return sizes


def block_means(blocks: Sequence[int]) -> Any:
    """Return the sparse array (csr), blocks x queries, that takes means over the queries of each block."""
    from scipy.sparse import csr_array

    sizes = block_sizes(blocks)
    coordinates = (np.asarray(blocks), np.arange(len(blocks)))
    return csr_array((1 / sizes[coordinates[0]], coordinates), shape=(len(sizes), len(blocks)))


def _refuse_uneven(what: str, **columns: Any) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise AttributionError(f"the {what} do not belong together ({listed}): run the attribution pipeline again")
