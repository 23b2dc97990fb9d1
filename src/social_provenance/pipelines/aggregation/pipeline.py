"""From document scores to the influence of bins, topics and formats."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.aggregation import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``aggregation``: influence, then maps held against each other."""
    return _influence() + _comparisons()


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


def _comparisons() -> Pipeline:
    """Wire the methods against each other, and the study against a published map where one is given."""
    return Pipeline(
        [
            Node(nodes.compare_methods, "bin_influence", "method_agreement", name="compare_methods"),
            Node(
                nodes.read_reference,
                ["reference_files", "params:published", "params:evaluation"],
                "reference_bins",
                name="read_reference",
            ),
            Node(
                nodes.describe_reference,
                ["reference_bins", "bin_influence", "params:published", "params:evaluation"],
                ["reference_topics", "reference_contrasts", "reference_signatures"],
                name="describe_reference",
            ),
            Node(
                nodes.compare_reference,
                ["reference_bins", "bin_influence"],
                ["reference_similarity", "reference_agreement"],
                name="compare_reference",
            ),
        ]
    )
