"""Figures and sections on forgetting."""

from __future__ import annotations

from kedro.pipeline import Node

from social_provenance.pipelines.reporting import nodes
from social_provenance.pipelines.reporting.comparisons import BENCHMARKS


def create_forgetting() -> list[Node]:
    """Return the nodes of these figures and sections."""
    return [
        Node(nodes.draw_unlearning, ["unlearning_sets", BENCHMARKS], "unlearning_figure", name="draw_unlearning"),
        Node(
            nodes.draw_dose_response,
            ["unlearning_dose_response", BENCHMARKS],
            "dose_response_figure",
            name="draw_dose_response",
        ),
        Node(nodes.draw_balance, ["unlearning_balance", BENCHMARKS], "balance_figure", name="draw_balance"),
        Node(
            nodes.write_unlearning,
            ["unlearning_figure", "unlearning_effects", "unlearning_runs", BENCHMARKS],
            "unlearning_section",
            name="write_unlearning",
        ),
        Node(
            nodes.write_doses,
            ["dose_response_figure", "balance_figure", "unlearning_balance"],
            "doses_section",
            name="write_doses",
        ),
        Node(
            nodes.write_checks,
            ["unlearning_equivalence", "unlearning_algorithms", "unlearning_across_topics", BENCHMARKS],
            "checks_section",
            name="write_checks",
        ),
        Node(
            nodes.join_forgetting,
            ["unlearning_section", "doses_section", "checks_section"],
            "forgetting_section",
            name="join_forgetting",
        ),
    ]
