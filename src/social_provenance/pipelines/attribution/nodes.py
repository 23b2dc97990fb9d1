"""Nodes of the attribution pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Part
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.capabilities.harness import build_requests
from social_provenance.documents.sampling import take_sample
from social_provenance.gradients import sequences
from social_provenance.gradients.scoring import score_documents
from social_provenance.gradients.settings import GradientSettings, ScoringSettings
from social_provenance.gradients.store import GradientStore, plan_part, plan_parts
from social_provenance.language_model import LanguageModel, max_tokens
from social_provenance.pipelines.attribution.params import Attribution


def tokenize_documents(
    working_set: Any,
    manifest: dict[str, Any],
    model: LanguageModel,
    gradients: GradientSettings,
    params: Attribution,
) -> Any:
    """Return the token sequences of the documents that are attributed to."""
    sample = take_sample(working_set, params.per_bin, manifest["per_bin"])
    budget = min(gradients.max_tokens, max_tokens(model.config()))
    return sequences.tokenize_documents(sample, model.tokenizer(), budget)


def collect_corpus_gradients(tokens: Any, model: LanguageModel, params: GradientSettings) -> dict[str, Part]:
    """Return the parts of the corpus's gradient store; each is computed once, when saved."""
    return plan_parts(sequences.label_documents(tokens), "doc_id", model, params)


def render_benchmarks(benchmarks: Path, model: LanguageModel, params: Evaluation) -> Any:
    """Return every choice of every benchmark item as lm-eval scores it."""
    return build_requests(params, benchmarks, model.tokenizer(), model.config())


def collect_query_gradients(requests: Any, model: LanguageModel, params: GradientSettings) -> dict[str, Part]:
    """Return the query gradients of each benchmark, a part of the store each."""
    queries = sequences.build_queries(requests)
    return {benchmark: plan_part(rows, "item", model, params) for benchmark, rows in queries.items()}


def compare_gradients(
    corpus: dict[str, Path], queries: dict[str, Path], params: ScoringSettings
) -> tuple[Any, dict[str, Any]]:
    """Return the score of every document for every benchmark and method, and a summary."""
    stores = {benchmark: GradientStore({benchmark: folder}, "item") for benchmark, folder in queries.items()}
    scores = score_documents(GradientStore(corpus, "doc_id"), stores, params)
    return scores.table, scores.summary
