"""From document scores to the influence of bins, topics and formats."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.estimation.maps.top_documents import pick_documents
from social_provenance.estimation.significance.discoveries import aggregate_bins
from social_provenance.pipelines.aggregation import nodes
from social_provenance.pipelines.aggregation.comparisons import create_comparisons
from social_provenance.pipelines.aggregation.judgements import create_judgements


def create_pipeline() -> Pipeline:
    """Return the pipeline ``aggregation``: influence, its tests against chance, and comparisons of maps."""
    return _influence() + create_judgements() + create_comparisons()


def _influence() -> Pipeline:
    """Return the tables of influence; all of them use the same bootstrap."""
    return Pipeline(
        [
            Node(
                nodes.join_scores,
                ["document_scores", "working_set"],
                "scored_documents",
                name="join_scores",
            ),
            Node(
                nodes.resample_scores,
                ["scored_documents", "block_scores", "queries", "bin_prevalence", "params:bootstrap"],
                "influence_replicates",
                name="resample_scores",
            ),
            Node(
                aggregate_bins,
                ["influence_replicates", "scored_documents", "null_tests", "params:bootstrap"],
                "bin_influence",
                name="aggregate_bins",
            ),
            Node(
                nodes.aggregate_marginals,
                ["influence_replicates", "null_tests"],
                ["topic_influence", "format_influence"],
                name="aggregate_marginals",
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
                pick_documents,
                ["document_scores", "working_set", "params:scoring.default_method"],
                "top_documents",
                name="pick_documents",
            ),
        ]
    )
