"""The same documents and queries under several checkpoints of one training.

Each checkpoint has a gradient store, a second moment and a preconditioner of its own. They share the token
sequences, so all checkpoints must have the same tokenizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from social_provenance.artifacts import Parts, join
from social_provenance.errors import AttributionError, excerpt
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.queries.build import query_sets
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.studies.audit import require_gradient_method
from social_provenance.gradients.walk.collect import plan_corpus, plan_queries
from social_provenance.gradients.walk.store import GradientStore, query_stores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from datasets import Dataset

    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel

SAMPLE = 256
"""Upper bound on the documents, and on the queries, on which tokenizers are compared."""

Part = TypeVar("Part")


def plan_gradients(
    checkpoints: Mapping[str, LanguageModel],
    tokens: Dataset,
    queries: pd.DataFrame,
    settings: GradientSettings,
    distributed: Distributed,
) -> tuple[Parts, Parts]:
    """Describe the gradients of documents and of the benchmarks' own items under every checkpoint.

    Args:
        checkpoints: Label -> model, in the order of training.
        tokens: The study's documents as token sequences.
        queries: Table ``queries``; nulls in it are left out.
        settings: Settings of the gradients.
        distributed: Processes that compute them.

    Returns:
        The corpus's shards, ``<label>.<shard>``, and the queries, ``<label>.<benchmark>.items``.
    """
    items = query_sets(queries[queries["variant"] == ITEMS])
    corpus = {label: plan_corpus(tokens, model, settings, distributed) for label, model in checkpoints.items()}
    asked = {label: plan_queries(items, model, settings, distributed) for label, model in checkpoints.items()}
    return join(corpus), join(asked)


def plan_trajectory(corpus: Mapping[str, Path], queries: Mapping[str, Path], settings: ScoringSettings) -> Parts:
    """Describe the scores of documents for the benchmarks under every checkpoint.

    Args:
        corpus: ``<label>.<shard>`` -> folder.
        queries: ``<label>.<benchmark>.items`` -> folder.
        settings: Methods and their parameters.

    Returns:
        A part for each ``<label>.<benchmark>``.

    Raises:
        AttributionError: If no method compares gradients, or queries and corpus do not belong together.
    """
    require_gradient_method(settings)
    asked = by_checkpoint(queries)
    plans = {
        label: plan_scores(GradientStore(shards), query_stores(asked[label]), settings)
        for label, shards in by_checkpoint(corpus).items()
    }
    return join(plans)


def by_checkpoint(parts: Mapping[str, Part]) -> dict[str, dict[str, Part]]:
    """Return label -> name -> part, for parts that :func:`social_provenance.artifacts.join` has named."""
    parts_of: dict[str, dict[str, Part]] = {}
    for joined, part in parts.items():
        label, _, name = joined.partition(".")
        parts_of.setdefault(label, {})[name] = part
    return parts_of


def sample_sequences(tokens: Dataset, queries: pd.DataFrame) -> list[list[int]]:
    """Return the token ids of some documents and items, evenly spaced, on which to compare tokenizers."""
    documents = tokens[list(range(0, len(tokens), -(-len(tokens) // SAMPLE)))]["input_ids"]
    some = queries.iloc[:: -(-len(queries) // SAMPLE)]
    items = [[*prompt, *answer] for prompt, answer in zip(some["prompt_ids"], some["answer_ids"], strict=True)]
    return [[int(token) for token in ids] for ids in (*documents, *items)]


def refuse_other_tokenizers(
    checkpoints: Mapping[str, LanguageModel], study: LanguageModel, sequences: Sequence[Sequence[int]]
) -> None:
    """Refuse checkpoints that tokenise texts differently from the study's model.

    Args:
        checkpoints: Label -> model.
        study: The study's model.
        sequences: Token ids from its tokenizer; their texts are tokenised again and compared.

    Raises:
        AttributionError: Naming the first checkpoint that does, and a text.
    """
    tokenizer = study.tokenizer()
    texts = tokenizer.batch_decode([list(ids) for ids in sequences], skip_special_tokens=True)
    expected = _encode(tokenizer, texts)
    for label, model in checkpoints.items():
        for text, ids, known in zip(texts, _encode(model.tokenizer(), texts), expected, strict=True):
            if ids != known:
                raise AttributionError(
                    f"checkpoint {label!r} ({model.path}) has another tokenizer than the study's model: it turns "
                    f"{excerpt(text)} into other tokens; a trajectory is of one training, leave it out of checkpoints"
                )


def _encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, verbose=False)["input_ids"]
    return ids
