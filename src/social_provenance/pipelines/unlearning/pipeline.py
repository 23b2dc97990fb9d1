"""Unlearn influential documents and random ones of the same topic, and compare the damage."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.unlearning import nodes
from social_provenance.pipelines.unlearning.comparisons import create_comparisons


def create_pipeline() -> Pipeline:
    """Return the pipeline ``unlearning``: an early check, plan, runs, comparisons."""
    return Pipeline(
        [
            Node(
                nodes.foresee_unlearning,
                ["working_set", "params:attribution.per_bin", "params:unlearning"],
                None,
                name="foresee_unlearning",
            ),
            Node(
                nodes.foresee_runs,
                ["working_set", "language_model", "params:gradients.max_tokens", "params:unlearning"],
                None,
                name="foresee_runs",
            ),
            Node(
                nodes.plan_unlearning,
                [
                    "document_scores",
                    "topic_influence",
                    "corpus_tokens",
                    "params:scoring.default_method",
                    "params:unlearning",
                ],
                ["unlearning_plan", "unlearning_balance"],
                name="plan_unlearning",
            ),
            Node(
                nodes.forget_documents,
                [
                    "unlearning_plan",
                    "corpus_tokens",
                    "language_model",
                    "benchmark_requests",
                    "params:evaluation.batch_size",
                    "params:unlearning",
                ],
                "unlearned_models",
                name="forget_documents",
            ),
            Node(
                nodes.gather_runs,
                ["unlearning_plan", "unlearned_models", "params:unlearning.max_unfinished_share"],
                [
                    "unlearning_runs",
                    "unlearning_answers",
                    "unlearning_evaluations",
                    "unlearning_trajectory",
                    "unlearning_heldout",
                    "unlearning_steps",
                ],
                name="gather_runs",
            ),
            *create_comparisons(),
        ]
    )
