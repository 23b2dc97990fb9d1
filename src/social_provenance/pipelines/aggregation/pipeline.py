"""From document scores to the influence of bins, topics and formats."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.aggregation import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``aggregation``: one bootstrap serves all tables of influence."""
    return Pipeline(
        [
            Node(
                nodes.aggregate_influence,
                ["document_scores", "working_set", "bin_prevalence", "params:bootstrap", "params:evaluation"],
                ["bin_influence", "topic_influence", "format_influence", "contrasts"],
                name="aggregate_influence",
            ),
            Node(
                nodes.pick_documents,
                ["document_scores", "working_set", "params:scoring.default_method"],
                "top_documents",
                name="pick_documents",
            ),
        ]
    )
