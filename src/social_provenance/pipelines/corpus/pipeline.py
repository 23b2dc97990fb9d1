"""Pipeline from raw shards to documents."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.corpus import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``corpus``: read shards, normalise, reject with a reason, count."""
    return Pipeline(
        [
            Node(
                nodes.read_shards,
                ["raw_documents", "params:documents"],
                "records",
                name="read_shards",
            ),
            Node(
                nodes.clean_documents,
                ["records", "params:documents"],
                ["documents", "rejected_documents"],
                name="clean_documents",
            ),
            Node(
                nodes.count_records,
                ["records", "documents", "rejected_documents", "params:documents"],
                "corpus_summary",
                name="count_records",
            ),
        ]
    )
