"""Pipeline from tables to figures, sections and one page."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.reporting.contents import FIGURES, SECTIONS
from social_provenance.report.sections import write_report


def create_pipeline() -> Pipeline:
    """Return the pipeline ``reporting``: a node for each figure and section of the contents, then the page.

    A node calls a function of ``figures`` or ``report`` directly and has its name.
    """
    parts = [
        Node(function, inputs, output, name=function.__name__)
        for output, (function, inputs) in (FIGURES | SECTIONS).items()
    ]
    return Pipeline([*parts, Node(write_report, ["lineage", *SECTIONS], "report", name="write_report")])
