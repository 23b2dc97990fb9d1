"""Pipeline from tables to verdicts, figures, sections and one page."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.reporting import nodes
from social_provenance.pipelines.reporting.contents import FIGURES, METHOD, SECTIONS
from social_provenance.report.sections import write_report


def create_pipeline() -> Pipeline:
    """Return the pipeline ``reporting``: verdicts, a node for each figure and section of the contents, then the page.

    A node of a figure or section calls a function of ``figures`` or ``report`` directly and has its name.
    """
    judged = Node(
        nodes.give_verdicts,
        [
            "explained_variance",
            "topic_influence",
            "tail_patch",
            "counterfactual_agreement",
            "unlearning_effects",
            METHOD,
        ],
        "verdicts",
        name="give_verdicts",
    )
    parts = [
        Node(function, inputs, output, name=function.__name__)
        for output, (function, inputs) in (FIGURES | SECTIONS).items()
    ]
    behind = {"records": "lineage"} | {name: name for name in SECTIONS}
    return Pipeline([judged, *parts, Node(write_report, behind, "report", name="write_report")])
