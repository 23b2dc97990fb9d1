"""Comparison of the topics that the study found with those that were planted."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.figures.planted_topics import draw_planted
from social_provenance.miniature.nulls import compare_nulls_with_truth
from social_provenance.miniature.planted import compare_with_truth, mark_planted_topics, report_validation
from social_provenance.miniature.recovery import measure_validation


def create_pipeline() -> Pipeline:
    """Return the pipeline ``validation``; with ``miniature`` and ``worlds`` it is all that reads the truth."""
    return Pipeline(
        [
            Node(
                mark_planted_topics,
                ["topic_influence", "miniature_truth"],
                "planted_topics",
                name="mark_planted_topics",
            ),
            Node(
                compare_with_truth,
                ["document_scores", "planted_topics", "miniature_truth"],
                "planted_comparison",
                name="compare_with_truth",
            ),
            Node(
                compare_nulls_with_truth,
                ["null_scores", "random_weights_scores", "miniature_truth"],
                "planted_nulls",
                name="compare_nulls_with_truth",
            ),
            Node(
                measure_validation,
                ["topic_influence", "bin_influence", "miniature_truth"],
                "validation_metrics",
                name="measure_validation",
            ),
            Node(
                report_validation,
                [
                    "planted_comparison",
                    "pretraining_log",
                    "params:miniature.seed",
                    "params:scoring.default_method",
                ],
                "validation",
                name="report_validation",
            ),
            Node(
                draw_planted,
                ["planted_topics", "params:evaluation", "params:scoring.default_method"],
                "planted_figure",
                name="draw_planted",
            ),
        ]
    )
