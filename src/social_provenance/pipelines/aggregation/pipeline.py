"""From document scores to the influence of bins, topics and formats."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.aggregation import nodes
from social_provenance.pipelines.aggregation.comparisons import create_comparisons
from social_provenance.pipelines.aggregation.judgements import create_judgements


def create_pipeline() -> Pipeline:
    """Return the pipeline ``aggregation``: influence, what of it is more than chance, maps against each other."""
    return _influence() + create_judgements() + create_comparisons()


def _influence() -> Pipeline:
    """Wire the tables of influence; one bootstrap serves all of them."""
    return Pipeline(
        [
            Node(
                nodes.resample_scores,
                ["document_scores", "block_scores", "queries", "working_set", "bin_prevalence", "params:bootstrap"],
                "influence_replicates",
                name="resample_scores",
            ),
            Node(
                nodes.aggregate_influence,
                "influence_replicates",
                ["bin_influence", "topic_influence", "format_influence"],
                name="aggregate_influence",
            ),
            Node(
                nodes.contrast_benchmarks,
                ["influence_replicates", "params:evaluation", "params:bootstrap"],
                ["contrasts", "contrast_strength"],
                name="contrast_benchmarks",
            ),
            Node(
                nodes.compare_profiles,
                "influence_replicates",
                ["profile_similarity", "profile_reliability"],
                name="compare_profiles",
            ),
            Node(
                nodes.pick_documents,
                ["document_scores", "working_set", "params:scoring.default_method"],
                "top_documents",
                name="pick_documents",
            ),
        ]
    )
