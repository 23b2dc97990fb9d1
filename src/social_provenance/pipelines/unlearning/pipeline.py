"""Forget influential documents, forget random ones of the same topic, compare."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.unlearning import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``unlearning``: plan, runs, effects."""
    return Pipeline(
        [
            Node(
                nodes.plan_unlearning,
                [
                    "document_scores",
                    "topic_influence",
                    "corpus_tokens",
                    "params:scoring.default_method",
                    "params:unlearning",
                ],
                "unlearning_plan",
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
                nodes.measure_effects,
                ["unlearning_plan", "unlearned_models", "params:bootstrap"],
                ["unlearning_runs", "unlearning_evaluations", "unlearning_trajectory", "unlearning_effects"],
                name="measure_effects",
            ),
        ]
    )
