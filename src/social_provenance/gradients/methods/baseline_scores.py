"""Score documents by the baselines, with what the one walk over the corpus left beside the gradients."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts
from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.methods.baselines import Bm25, Target, aim, describe_chunk, nats_per_token, score_chunk
from social_provenance.gradients.methods.score_files import ScoreWriter
from social_provenance.gradients.queries.build import ITEMS
from social_provenance.gradients.settings import BASELINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from datasets import Dataset

    from social_provenance.gradients.settings import Baseline, ScoringSettings
    from social_provenance.gradients.walk.store import GradientStore


@dataclass(frozen=True)
class Texts:
    """What the baselines look at.

    Attributes:
        tokens: ``doc_id``, ``input_ids`` of each document.
        corpus: Store of the same documents: losses and mean hidden states.
        queries: Table ``queries``.
        gradients: Benchmark -> variant -> store of its queries: mean hidden states.
        vocab_size: Tokens of the vocabulary.
    """

    tokens: Dataset
    corpus: GradientStore
    queries: pd.DataFrame
    gradients: Mapping[str, Mapping[str, GradientStore]]
    vocab_size: int


def plan_baselines(texts: Texts, settings: ScoringSettings) -> Parts:
    """Describe the scores of documents by the baselines among ``settings.methods``, a part for each benchmark.

    There are no parts where no baseline is asked for.
    """
    methods = [method for method in BASELINES if method in settings.methods]
    if not methods:
        return Parts({}, lambda _: iter(()))
    shared = digest_of(texts.corpus.digest, methods, texts.vocab_size)
    inputs = {name: digest_of(shared, own[ITEMS].digest) for name, own in texts.gradients.items()}
    return Parts(inputs, partial(_write, texts, methods, settings.chunk))


def _write(texts: Texts, methods: Sequence[Baseline], chunk: int, waiting: Mapping[str, Path]) -> Iterator[str]:
    counts = _fit(texts, chunk) if "bm25" in methods else None
    targets = {benchmark: _aim(texts, benchmark, methods) for benchmark in waiting}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(ScoreWriter(folder, name)) for name, folder in waiting.items()}
        for rows, tokens, states in _chunks(texts, chunk):
            losses = nats_per_token(
                rows["loss"].to_numpy(), rows["tokens"].to_numpy(), texts.corpus.identity["loss_reduction"]
            )
            features = describe_chunk(methods, tokens, states, losses, counts)
            for benchmark, target in targets.items():
                for method, blocks in score_chunk(features, target).items():
                    writers[benchmark].write(rows, method, ITEMS, blocks, target.sizes)
    yield from waiting


def _fit(texts: Texts, chunk: int) -> Bm25:
    batches = (batch["input_ids"] for batch in texts.tokens.select_columns(["input_ids"]).iter(batch_size=chunk))
    return Bm25.fit(batches, texts.vocab_size)


def _aim(texts: Texts, benchmark: str, methods: Sequence[Baseline]) -> Target:
    table = texts.queries
    own = table[(table["benchmark"] == benchmark) & (table["variant"] == ITEMS)].set_index("item")
    ((rows, states),) = texts.gradients[benchmark][ITEMS].states()
    own = own.loc[rows["id"]]
    tokens = [[*before, *after] for before, after in zip(own["prompt_ids"], own["answer_ids"], strict=True)]
    return aim(methods, tokens, states, own["block"].tolist(), texts.vocab_size)


def _chunks(texts: Texts, chunk: int) -> Iterator[tuple[pd.DataFrame, Any, np.ndarray]]:
    """Yield rows, token ids and mean hidden states of some documents, in the order of the store."""
    places = {doc_id: place for place, doc_id in enumerate(texts.tokens["doc_id"])}
    for table, states in texts.corpus.states():
        for start in range(0, len(table), chunk):
            rows = table.iloc[start : start + chunk]
            strange = [doc_id for doc_id in rows["id"] if doc_id not in places]
            if strange:
                raise AttributionError(
                    f"document {strange[0]!r} has a gradient and no tokens: run the attribution pipeline from its start"
                )
            tokens = texts.tokens[[places[doc_id] for doc_id in rows["id"]]]["input_ids"]
            yield rows, tokens, states[start : start + chunk]
