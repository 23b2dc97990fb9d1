"""The stages of a study: groups of nodes that a reader of its log recognises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Stage:
    """A part of a pipeline.

    Attributes:
        name: Name of the stage.
        pipeline: Pipeline that its nodes belong to.
        nodes: Its nodes; empty: those of the pipeline that belong to no other stage.
    """

    name: str
    pipeline: str
    nodes: frozenset[str] = frozenset()


def _stage(name: str, pipeline: str, *nodes: str) -> Stage:
    return Stage(name, pipeline, frozenset(nodes))


STAGES = (
    _stage("make_world", "miniature"),
    _stage("read", "corpus", "read_shards"),
    _stage("clean", "corpus"),
    _stage("label", "taxonomy", "train_classifier", "describe_classifier", "label_shards", "join_labels"),
    _stage("draw", "taxonomy"),
    _stage("pretrain", "pretraining"),
    _stage("tokenise", "attribution", "tokenize_documents"),
    _stage(
        "queries",
        "attribution",
        *("render_benchmarks", "answer_items", "build_queries", "collect_query_gradients"),
        *("collect_choice_gradients", "weigh_choices", "compose_queries"),
    ),
    _stage("walk", "attribution", "collect_corpus_gradients"),
    _stage("compare", "attribution"),
    _stage("random_weights", "random_weights"),
    _stage("aggregate", "aggregation"),
    _stage("tail_patch", "tail_patch"),
    _stage("unlearn", "unlearning", "foresee_unlearning", "foresee_runs", "plan_unlearning", "forget_documents"),
    _stage("effects", "unlearning"),
    _stage("validate", "validation"),
    _stage("report", "reporting"),
)
"""In about the order in which they run."""


def stages_of(pipelines: Iterable[str]) -> list[Stage]:
    """Return the stages of some pipelines."""
    chosen = set(pipelines)
    return [stage for stage in STAGES if stage.pipeline in chosen]


def stage_of(node: str, pipeline: str) -> str | None:
    """Return the stage of a node; None if its pipeline has no stage.

    Args:
        node: Name of the node.
        pipeline: The pipeline that it belongs to, none that is made of others.
    """
    stages = stages_of([pipeline])
    named = next((stage.name for stage in stages if node in stage.nodes), None)
    return named or next((stage.name for stage in stages if not stage.nodes), None)
