"""Study other worlds from start to end, and measure how often planted topics are recovered."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.worlds import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``worlds``."""
    return Pipeline(
        [
            Node(
                nodes.study_worlds,
                ["parameters", "params:worlds"],
                "world_studies",
                name="study_worlds",
            ),
            Node(
                nodes.gather_worlds,
                "world_studies",
                ["world_metrics", "world_effects"],
                name="gather_worlds",
            ),
        ]
    )
