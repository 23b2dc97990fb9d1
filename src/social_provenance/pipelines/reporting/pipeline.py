"""From tables to figures, sections and one page."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.reporting import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``reporting``: a figure and a section a question, then the report."""
    return Pipeline(
        [
            Node(
                nodes.draw_influence,
                ["bin_influence", "params:evaluation", "params:scoring.default_method"],
                "influence_figure",
                name="draw_influence",
            ),
            Node(
                nodes.draw_contrasts,
                ["contrasts", "params:scoring.default_method"],
                "contrast_figure",
                name="draw_contrasts",
            ),
            Node(
                nodes.draw_unlearning,
                ["unlearning_runs", "unlearning_evaluations", "params:evaluation"],
                "unlearning_figure",
                name="draw_unlearning",
            ),
            Node(
                nodes.write_inputs,
                [
                    "corpus_summary",
                    "classifier_quality",
                    "sampling_manifest",
                    "attribution_summary",
                    "unlearning_evaluations",
                    "params:evaluation",
                ],
                "inputs_section",
                name="write_inputs",
            ),
            Node(
                nodes.write_influence,
                [
                    "influence_figure",
                    "topic_influence",
                    "top_documents",
                    "params:evaluation",
                    "params:scoring.default_method",
                ],
                "influence_section",
                name="write_influence",
            ),
            Node(
                nodes.write_contrasts,
                ["contrast_figure", "contrasts", "params:scoring.default_method"],
                "contrasts_section",
                name="write_contrasts",
            ),
            Node(
                nodes.write_planted,
                ["planted_figure", "validation", "params:evaluation"],
                "planted_section",
                name="write_planted",
            ),
            Node(
                nodes.write_unlearning,
                ["unlearning_figure", "unlearning_effects", "unlearning_runs"],
                "unlearning_section",
                name="write_unlearning",
            ),
            Node(
                nodes.write_report,
                [
                    "params:evaluation",
                    "params:scoring.default_method",
                    "lineage",
                    "inputs_section",
                    "influence_section",
                    "contrasts_section",
                    "planted_section",
                    "unlearning_section",
                ],
                "report",
                name="write_report",
            ),
        ]
    )
