"""Nodes of the retraining."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.interventions import effects, retraining
from social_provenance.interventions.settings import Counterfactual
from social_provenance.pretraining import tokenizer as bpe
from social_provenance.pretraining.pretrain import leave_out
from social_provenance.pretraining.settings import Pretraining


def tokenize_training(documents: Any, labels: Any, tokenizer: str, pretraining: Pretraining) -> Any:
    """Return every training document with its topic, in the order of training."""
    import pandas as pd

    trained = leave_out(documents, pretraining.leave_out_sources)
    texts = trained.order_by("doc_id").select("doc_id", "text").to_pyarrow().to_pydict()
    topics = labels.select("doc_id", "topic").to_pandas()
    ids = bpe.load_tokenizer(tokenizer)(texts["text"], verbose=False)["input_ids"]
    table = pd.DataFrame({"doc_id": texts["doc_id"], "input_ids": ids})
    return table.merge(topics, on="doc_id", how="left", validate="one_to_one")


def retrain_fully(
    tokens: Any, tokenizer: str, requests: Any, pretraining: Pretraining, batch_size: int, params: Counterfactual
) -> Parts:
    """Return a description of the full training under each seed; the catalog trains when it saves it."""
    return retraining.plan_full(_training(tokens, tokenizer, requests, pretraining, batch_size), params)


def plan_retraining(full: dict[str, Path], tokens: Any, params: Counterfactual) -> Any:
    """Return the topics that every retraining leaves out, its seed and its steps."""
    return retraining.plan_retraining(tokens["topic"].dropna(), params, full)


def retrain_without(
    plan: Any, tokens: Any, tokenizer: str, requests: Any, pretraining: Pretraining, batch_size: int
) -> Parts:
    """Return a description of the planned retrainings; the catalog trains when it saves it."""
    return retraining.plan_without(_training(tokens, tokenizer, requests, pretraining, batch_size), plan)


def measure_retraining(plan: Any, full: dict[str, Path], without: dict[str, Path]) -> Any:
    """Return the effect of leaving topics out on each benchmark."""
    return effects.measure_retraining(plan, full, without)


def compare_with_retraining(plan: Any, retrained: Any, topics: Any, patches: Any) -> Any:
    """Return how well methods and tail-patches predict the effects of retraining."""
    return effects.compare_with_retraining(
        retrained, effects.predict_effects(plan, effects.values_of_topics(topics, patches))
    )


def _training(
    tokens: Any, tokenizer: str, requests: Any, pretraining: Pretraining, batch_size: int
) -> retraining.Training:
    return retraining.Training(
        dict(zip(tokens["doc_id"], tokens["input_ids"], strict=True)),
        dict(zip(tokens["doc_id"], tokens["topic"], strict=True)),
        bpe.load_tokenizer(tokenizer),
        requests,
        pretraining,
        batch_size,
    )
