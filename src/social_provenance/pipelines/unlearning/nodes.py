"""Nodes of the unlearning pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.capabilities.harness import Scorer
from social_provenance.estimation.settings import Bootstrap
from social_provenance.forgetting import effects
from social_provenance.forgetting.plan import plan_runs
from social_provenance.forgetting.run import Bench, plan_parts
from social_provenance.forgetting.settings import Unlearning
from social_provenance.language_model import LanguageModel


def plan_unlearning(scores: Any, topics: Any, tokens: Any, method: str, params: Unlearning) -> Any:
    """Return every run of the study: what to forget, what to retain, with which seed."""
    documents = tokens.select_columns(["doc_id", "topic", "length"]).to_pandas()
    own = scores.filter(scores.method == method).to_pandas()
    return plan_runs(own, topics, documents, method, params)


def forget_documents(
    plan: Any, tokens: Any, model: LanguageModel, requests: Any, batch_size: int, params: Unlearning
) -> Parts:
    """Return the runs of the plan; each is trained and evaluated once, when saved."""
    ids = dict(zip(tokens["doc_id"], tokens["input_ids"], strict=True))
    return plan_parts(plan, Bench(model, Scorer(requests, batch_size), ids, params))


def measure_effects(plan: Any, runs: dict[str, Path], bootstrap: Bootstrap) -> tuple[Any, Any, Any, Any]:
    """Return what the runs measured (losses, evaluations, trajectories), and influence minus random."""
    tables = effects.gather(plan, runs)
    difference = effects.measure_effects(plan, runs, bootstrap)
    return tables.runs, tables.evaluations, tables.trajectory, difference
