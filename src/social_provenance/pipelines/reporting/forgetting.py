"""Figures and section on forgetting."""

from __future__ import annotations

from kedro.pipeline import Node

from social_provenance.pipelines.reporting import nodes
from social_provenance.pipelines.reporting.comparisons import BENCHMARKS


def create_forgetting() -> list[Node]:
    """Return the nodes of these figures and of their section, whose three parts answer, show doses, and check."""
    return [
        Node(nodes.draw_sets, ["unlearning_sets", BENCHMARKS], "unlearning_figure", name="draw_sets"),
        Node(nodes.draw_doses, ["unlearning_dose_response", BENCHMARKS], "dose_figure", name="draw_doses"),
        Node(nodes.draw_balance, ["unlearning_balance", BENCHMARKS], "balance_figure", name="draw_balance"),
        Node(
            nodes.write_effects,
            ["unlearning_figure", "unlearning_effects", "unlearning_runs", BENCHMARKS],
            "effects_section",
            name="write_effects",
        ),
        Node(
            nodes.write_doses,
            ["dose_figure", "balance_figure", "unlearning_balance"],
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
            nodes.join_findings,
            ["effects_section", "doses_section", "checks_section"],
            "unlearning_section",
            name="join_unlearning",
        ),
    ]
