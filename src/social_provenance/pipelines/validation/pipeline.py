"""Hold what was found against what was planted."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.validation import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``validation``."""
    return Pipeline(
        [
            Node(
                nodes.compare_with_truth,
                ["document_scores", "topic_influence", "miniature_truth"],
                "planted_comparison",
                name="compare_with_truth",
            ),
            Node(
                nodes.report_validation,
                [
                    "planted_comparison",
                    "pretraining_log",
                    "params:miniature.seed",
                    "params:scoring.default_method",
                ],
                "validation",
                name="report_validation",
            ),
        ]
    )
