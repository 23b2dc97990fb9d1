"""Comparisons of maps: between methods, and with a published map."""

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
