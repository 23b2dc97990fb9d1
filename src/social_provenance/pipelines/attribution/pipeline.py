"""Attribute benchmarks to documents: one walk over the corpus, a product for each benchmark."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.attribution import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``attribution``: queries, gradients, scores."""
    return Pipeline(
        [
            Node(
                nodes.tokenize_documents,
                [
                    "working_set",
                    "sampling_manifest",
                    "language_model",
                    "params:gradients",
                    "params:attribution",
                ],
                "corpus_tokens",
                name="tokenize_documents",
            ),
            Node(
                nodes.collect_corpus_gradients,
                ["corpus_tokens", "language_model", "params:gradients"],
                "corpus_gradients",
                name="collect_corpus_gradients",
            ),
            Node(
                nodes.render_benchmarks,
                ["benchmark_items", "language_model", "params:evaluation"],
                "benchmark_requests",
                name="render_benchmarks",
            ),
            Node(
                nodes.collect_query_gradients,
                ["benchmark_requests", "language_model", "params:gradients"],
                "query_gradients",
                name="collect_query_gradients",
            ),
            Node(
                nodes.compare_gradients,
                ["corpus_gradients", "query_gradients", "params:scoring"],
                ["document_scores", "attribution_summary"],
                name="compare_gradients",
            ),
        ]
    )
