"""Methods that run the model: they make passes over the corpus of their own."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from social_provenance.artifacts import Parts
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.methods.base import Method, Needs
from social_provenance.gradients.methods.registry import choose
from social_provenance.gradients.methods.score_files import ScoreWriter
from social_provenance.gradients.query_set import ITEMS, QuerySet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.gradients.walk.store import GradientStore
    from social_provenance.language_model import LanguageModel

COLUMNS = ("input_ids", "labels", "block")


@dataclass(frozen=True)
class ModelCorpus:
    """What a method that runs the model is given.

    Attributes:
        tokens: ``doc_id``, ``input_ids``, ``length`` of each document.
        store: Gradient store of the same documents, for their losses and norms alone.
        sets: Query sets by name; those of the items are asked.
        model: The model, whose loss is attributed.
        gradients: Reduction of losses and size of batches.
        damping: ``scoring.damping``.
    """

    tokens: Dataset
    store: GradientStore
    sets: Mapping[str, Dataset]
    model: LanguageModel
    gradients: GradientSettings
    damping: float

    def items(self) -> dict[str, Dataset]:
        """Return benchmark -> its own items."""
        named = {QuerySet.parse(name): rows for name, rows in self.sets.items()}
        return {queries.benchmark: rows for queries, rows in named.items() if queries.variant == ITEMS}


class ModelMethod(Method):
    """A method that scores all documents for some benchmarks at once."""

    needs: ClassVar[Needs] = "model"

    @abstractmethod
    def score(
        self, corpus: ModelCorpus, documents: Dataset, queries: Mapping[str, Dataset], folder: Path
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each benchmark with its scores, documents x blocks, positive where a document lowers the loss.

        Args:
            corpus: Model and settings.
            documents: Documents in the order of the scores: ``doc_id``, ``input_ids``, ``length``.
            queries: Benchmark -> its items: ``block``, ``input_ids``, ``labels``, ``length``.
            folder: Place for temporary files, which are removed in the end.
        """


def plan_model_scores(corpus: ModelCorpus, settings: ScoringSettings) -> Parts:
    """Describe the scores of documents by the methods that run the model, a part for each benchmark.

    There are no parts where no such method is among ``settings.methods``.
    """
    kinds = choose(settings.methods, "model")
    if not kinds:
        return Parts({}, lambda _: iter(()))
    queries = corpus.items()
    shared = digest_of(
        corpus.model.digest(),
        corpus.store.digest,
        corpus.gradients,
        corpus.damping,
        sorted(kind.name for kind in kinds),
        [version(name) for name in ("bergson", "torch", "transformers")],
    )
    inputs = {name: digest_of(shared, *(list(rows[column]) for column in COLUMNS)) for name, rows in queries.items()}
    computed_by = dict.fromkeys(inputs, (_write, *kinds))
    return Parts(inputs, partial(_write, corpus, [kind() for kind in kinds]), computed_by=computed_by)


def _write(corpus: ModelCorpus, methods: Sequence[ModelMethod], waiting: Mapping[str, Path]) -> Iterator[str]:
    import pandas as pd

    # The documents go in the order of the store, so that rows and scores agree.
    rows = pd.concat([table for table, _ in corpus.store.states()], ignore_index=True)
    positions = {doc_id: position for position, doc_id in enumerate(corpus.tokens["doc_id"])}
    documents = corpus.tokens.select([positions[doc_id] for doc_id in rows["id"]], keep_in_memory=True)
    documents = documents.flatten_indices(keep_in_memory=True)
    items = corpus.items()
    queries = {name: items[name] for name in waiting}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(ScoreWriter(folder, name)) for name, folder in waiting.items()}
        for method in methods:
            for name, blocks in method.score(corpus, documents, queries, next(iter(waiting.values())).parent):
                writers[name].write(rows, method.name, blocks, np.bincount(queries[name]["block"]))
    yield from waiting
