"""From tables to figures, sections and one page."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.reporting import nodes
from social_provenance.pipelines.reporting.comparisons import BENCHMARKS, METHOD, create_comparisons
from social_provenance.pipelines.reporting.forgetting import create_forgetting


def create_pipeline() -> Pipeline:
    """Return the pipeline ``reporting``: a figure and a section a question, then the report."""
    return Pipeline([*_figures(), *_sections(), *create_comparisons(), *create_forgetting(), *_page()])


def _figures() -> list[Node]:
    return [
        Node(nodes.draw_influence, ["bin_influence", BENCHMARKS, METHOD], "influence_figure", name="draw_influence"),
        Node(nodes.draw_contrasts, ["contrasts", METHOD], "contrast_figure", name="draw_contrasts"),
        Node(
            nodes.draw_labels,
            ["classifier_confusion", "classifier_reliability"],
            "labels_figure",
            name="draw_labels",
        ),
    ]


def _sections() -> list[Node]:
    study = ["corpus_summary", "sampling_contract", "attribution_summary"]
    return [
        Node(nodes.write_inputs, [*study, "unlearning_evaluations", BENCHMARKS], "inputs_section", name="write_inputs"),
        Node(
            nodes.write_labels,
            ["labels_figure", "classifier_quality", "classifier_confusion"],
            "labels_section",
            name="write_labels",
        ),
        Node(
            nodes.write_influence,
            ["influence_figure", "topic_influence", "top_documents", BENCHMARKS, METHOD],
            "influence_section",
            name="write_influence",
        ),
        Node(
            nodes.write_contrasts,
            ["contrast_figure", "contrasts", "contrast_strength", METHOD],
            "contrasts_section",
            name="write_contrasts",
        ),
        Node(
            nodes.write_planted, ["planted_figure", "validation", BENCHMARKS], "planted_section", name="write_planted"
        ),
    ]


def _page() -> list[Node]:
    findings = [
        f"{name}_section" for name in ("influence", "discoveries", "contrasts", "agreement", "reference", "planted")
    ]
    parts = ["lineage", *(f"{name}_section" for name in ("corpus", "findings", "causes", "forgetting", "trust"))]
    return [
        Node(nodes.join_corpus, ["inputs_section", "labels_section"], "corpus_section", name="join_corpus"),
        Node(nodes.join_findings, findings, "findings_section", name="join_findings"),
        Node(nodes.write_report, parts, "report", name="write_report"),
    ]
