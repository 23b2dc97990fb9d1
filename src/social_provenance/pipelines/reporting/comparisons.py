"""Sections that hold a map against chance, other methods, a published one, and what checks showed."""

from __future__ import annotations

from kedro.pipeline import Node

from social_provenance.pipelines.reporting import nodes

BENCHMARKS, METHOD = "params:evaluation", "params:scoring.default_method"


def create_comparisons() -> list[Node]:
    """Return the nodes of these sections."""
    published = [f"reference_{name}" for name in ("topics", "contrasts", "signatures", "similarity", "agreement")]
    return [
        Node(
            nodes.write_discoveries,
            ["bin_influence", "null_tests", "null_calibration", "map_parts", BENCHMARKS, METHOD],
            "discoveries_section",
            name="write_discoveries",
        ),
        Node(
            nodes.write_agreement, ["method_agreement", BENCHMARKS, METHOD], "agreement_section", name="write_agreement"
        ),
        Node(nodes.write_reference, [*published, METHOD], "reference_section", name="write_reference"),
        Node(
            nodes.write_causes,
            ["topic_influence", "tail_patch", "counterfactual_agreement", BENCHMARKS, METHOD],
            "causes_section",
            name="write_causes",
        ),
        Node(
            nodes.write_trust,
            ["world_metrics", "query_audit", "influence_trajectory", "bin_influence", BENCHMARKS, METHOD],
            "trust_section",
            name="write_trust",
        ),
    ]
