"""Retrain the model without topics, and compare cheaper checks with it."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.counterfactual import nodes

TRAINING = [
    "retraining_tokens",
    "tokenizer",
    "benchmark_requests",
    "params:pretraining",
    "params:evaluation.batch_size",
]


def create_pipeline() -> Pipeline:
    """Return the pipeline ``counterfactual``: full trainings, retrainings, effects, agreement."""
    return Pipeline(
        [
            Node(
                nodes.tokenize_training,
                ["documents", "labelled_documents", "tokenizer", "params:pretraining"],
                "retraining_tokens",
                name="tokenize_training",
            ),
            Node(
                nodes.retrain_fully,
                [*TRAINING, "params:counterfactual"],
                "full_trainings",
                name="retrain_fully",
            ),
            Node(
                nodes.plan_retraining,
                ["full_trainings", "retraining_tokens", "params:counterfactual"],
                "counterfactual_plan",
                name="plan_retraining",
            ),
            Node(
                nodes.retrain_without,
                ["counterfactual_plan", *TRAINING],
                "retrainings",
                name="retrain_without",
            ),
            Node(
                nodes.measure_retraining,
                ["counterfactual_plan", "full_trainings", "retrainings"],
                "counterfactual_effects",
                name="measure_retraining",
            ),
            Node(
                nodes.compare_with_retraining,
                ["counterfactual_plan", "counterfactual_effects", "topic_influence", "tail_patch"],
                "counterfactual_agreement",
                name="compare_with_retraining",
            ),
        ]
    )
