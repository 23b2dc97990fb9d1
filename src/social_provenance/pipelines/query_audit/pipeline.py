"""Ask the same items in three forms, and see how far the form alone moves the map."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.query_audit import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``query_audit``: renderings, their gradients and scores, their maps side by side."""
    return Pipeline(
        [
            Node(
                nodes.render_variants,
                ["benchmark_requests", "queries", "language_model", "params:gradients"],
                "audit_queries",
                name="render_variants",
            ),
            Node(
                nodes.collect_audit_gradients,
                ["audit_queries", "language_model", "params:gradients", "params:attribution.distributed"],
                "audit_gradients",
                name="collect_audit_gradients",
            ),
            Node(
                nodes.compare_renderings,
                ["corpus_gradients", "audit_gradients", "params:scoring"],
                "audit_scores",
                name="compare_renderings",
            ),
            Node(
                nodes.compare_maps,
                ["audit_scores", "working_set"],
                "query_audit",
                name="compare_maps",
            ),
        ]
    )
