"""Score documents by EKFAC, which walks the corpus for itself."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.artifacts import Parts
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.methods.bergson_ekfac import score_ekfac
from social_provenance.gradients.methods.score_files import ScoreWriter
from social_provenance.gradients.queries.build import ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.settings import GradientSettings, ScoringSettings
    from social_provenance.gradients.walk.store import GradientStore
    from social_provenance.language_model import LanguageModel

COLUMNS = ("input_ids", "labels", "block")


def plan_ekfac(
    tokens: Dataset,
    corpus: GradientStore,
    sets: Mapping[str, Dataset],
    model: LanguageModel,
    gradients: GradientSettings,
    settings: ScoringSettings,
) -> Parts:
    """Describe the scores of documents by EKFAC, a part for each benchmark; no parts unless it is asked for.

    Args:
        tokens: ``doc_id``, ``input_ids``, ``length`` of each document.
        corpus: Gradient store of the same documents, for their losses and norms alone.
        sets: Query sets of the benchmarks' own items.
        model: Whose loss.
        gradients: Reduction of losses and size of batches.
        settings: Methods and damping.
    """
    if "ekfac" not in settings.methods:
        return Parts({}, lambda _: iter(()))
    queries = {name.partition(".")[0]: rows for name, rows in sets.items() if name.endswith(f".{ITEMS}")}
    shared = digest_of(
        model.digest(),
        corpus.digest,
        gradients,
        settings.damping,
        [version(name) for name in ("bergson", "torch", "transformers")],
    )
    inputs = {name: digest_of(shared, *(list(rows[column]) for column in COLUMNS)) for name, rows in queries.items()}
    score = partial(score_ekfac, model=model, settings=gradients, damping=settings.damping)
    return Parts(inputs, partial(_write, tokens, corpus, queries, score))


def _write(
    tokens: Dataset,
    corpus: GradientStore,
    queries: Mapping[str, Dataset],
    score: Callable[..., Iterator[tuple[str, np.ndarray]]],
    waiting: Mapping[str, Path],
) -> Iterator[str]:
    import pandas as pd

    # The documents come as the store has them, so that rows and scores agree.
    rows = pd.concat([table for table, _ in corpus.states()], ignore_index=True)
    places = {doc_id: place for place, doc_id in enumerate(tokens["doc_id"])}
    documents = tokens.select([places[doc_id] for doc_id in rows["id"]], keep_in_memory=True)
    documents = documents.flatten_indices(keep_in_memory=True)
    wanted = {name: queries[name] for name in waiting}
    for name, blocks in score(documents, wanted, folder=next(iter(waiting.values())).parent):
        with ScoreWriter(waiting[name], name) as writer:
            writer.write(rows, "ekfac", ITEMS, blocks, np.bincount(wanted[name]["block"]))
        yield name
