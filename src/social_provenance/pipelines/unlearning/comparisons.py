"""Statistics of the unlearning runs."""

from __future__ import annotations

from kedro.pipeline import Node

from social_provenance.pipelines.unlearning import nodes

READ = ["unlearning_runs", "unlearning_answers", "unlearning_trajectory"]


def create_comparisons() -> list[Node]:
    """Return the nodes that compare arms, doses, topics and algorithms."""
    return [
        Node(
            nodes.measure_effects,
            [*READ, "params:unlearning", "params:bootstrap"],
            ["unlearning_effects", "unlearning_sets", "unlearning_equivalence"],
            name="measure_effects",
        ),
        Node(nodes.trace_doses, READ, "unlearning_dose_response", name="trace_doses"),
        Node(
            nodes.compare_topics,
            ["unlearning_effects", "unlearning_sets"],
            "unlearning_across_topics",
            name="compare_topics",
        ),
        Node(
            nodes.compare_algorithms,
            ["unlearning_effects", "unlearning_runs", "unlearning_trajectory"],
            "unlearning_algorithms",
            name="compare_algorithms",
        ),
    ]
