"""Generation of a world whose provenance is known."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.miniature import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``miniature``: a corpus, its benchmarks and the truth, from one seed."""
    return Pipeline(
        [
            Node(
                nodes.write_corpus,
                "params:miniature",
                "raw_documents",
                name="write_corpus",
            ),
            Node(
                nodes.write_benchmarks,
                "params:miniature",
                "benchmark_items",
                name="write_benchmarks",
            ),
            Node(
                nodes.write_truth,
                "params:miniature",
                "miniature_truth",
                name="write_truth",
            ),
        ]
    )
