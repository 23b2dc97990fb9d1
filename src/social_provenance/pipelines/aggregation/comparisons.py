"""Comparisons of maps: between methods, with that of an untrained model, and with a published one."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.estimation.comparison.reference import read_reference
from social_provenance.pipelines.aggregation import nodes


def create_comparisons() -> Pipeline:
    """Return the comparisons of methods with each other, and of the study with a published map where one is given."""
    return Pipeline(
        [
            Node(nodes.compare_methods, "bin_influence", "method_agreement", name="compare_methods"),
            Node(
                nodes.explain_maps,
                [
                    "influence_replicates",
                    "scored_documents",
                    "null_scores",
                    "random_weights_scores",
                    "params:scoring.default_method",
                    "params:bootstrap",
                ],
                "explained_variance",
                name="explain_maps",
            ),
            Node(
                read_reference,
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
