"""Nodes of the pretraining pipeline."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.capabilities.harness import build_requests
from social_provenance.language_model import TrainedModel
from social_provenance.pretraining import pretrain
from social_provenance.pretraining import tokenizer as bpe
from social_provenance.pretraining.pretrain import leave_out
from social_provenance.pretraining.settings import Pretraining


def train_tokenizer(documents: Any, params: Pretraining) -> str:
    """Return a byte-level BPE tokenizer learned from the documents."""
    return bpe.train_tokenizer(_texts(documents), params.vocab_size)


def train_model(
    documents: Any, tokenizer: str, benchmarks: Path, params: Pretraining, evaluation: Evaluation
) -> tuple[TrainedModel, Any, dict[str, TrainedModel]]:
    """Return a small OLMo3-architecture model trained on the documents, its log and its checkpoints."""
    trained = leave_out(documents, params.leave_out_sources)
    loaded, texts = bpe.load_tokenizer(tokenizer), _texts(trained)
    bpe.check_round_trip(loaded, texts[:100])
    requests = partial(build_requests, evaluation, benchmarks, loaded)
    tokens = loaded(texts, verbose=False)["input_ids"]
    made = pretrain.pretrain(tokens, loaded, requests, params, evaluation.batch_size)
    checkpoints = {label: TrainedModel(model, loaded) for label, model in made.checkpoints.items()}
    return TrainedModel(made.model, loaded, made.second_moments), made.log, checkpoints


def _texts(documents: Any) -> list[str]:
    texts: list[str] = documents.order_by("doc_id").select("text").to_pyarrow()["text"].to_pylist()
    return texts
