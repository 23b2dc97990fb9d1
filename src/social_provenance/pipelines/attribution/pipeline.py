"""Attribute benchmarks to documents: one walk over the corpus, a product for each benchmark."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.attribution import nodes
from social_provenance.pipelines.attribution.walk import SCORING, create_walk, foresee

CORPUS = ["documents", "working_set"]
TOKENS = ["params:gradients.max_tokens", "params:attribution"]
"""Settings of the walk on which tokens depend: what rests on tokens alone outlives a change of the others."""

MODELS = ["language_model", "query_model"]


def create_pipeline() -> Pipeline:
    """Return the pipeline ``attribution``: queries, gradients, scores."""
    return Pipeline(
        [
            *foresee(),
            Node(
                nodes.tokenize_documents,
                ["working_set", "sampling_contract", "language_model", *TOKENS],
                "corpus_tokens",
                name="tokenize_documents",
            ),
            Node(
                nodes.render_benchmarks,
                ["benchmark_items", "language_model", "params:evaluation", *TOKENS],
                "benchmark_requests",
                name="render_benchmarks",
            ),
            Node(
                nodes.answer_items,
                ["benchmark_requests", *MODELS, "params:evaluation.batch_size", "params:attribution"],
                "item_answers",
                name="answer_items",
            ),
            Node(
                nodes.build_queries,
                ["benchmark_requests", "item_answers", *CORPUS, "language_model", "params:attribution"],
                "queries",
                name="build_queries",
            ),
            *create_walk().nodes,
            *_others(),
            Node(
                nodes.gather_scores,
                ["gradient_scores", "text_scores", "model_scores"],
                ["document_scores", "block_scores", "null_scores"],
                name="gather_scores",
            ),
            Node(
                nodes.describe_comparison,
                ["gradient_scores", SCORING, "params:attribution"],
                ["attribution_summary", "preconditioner_audit"],
                name="describe_comparison",
            ),
        ]
    )


def _others() -> list[Node]:
    return [
        Node(
            nodes.compare_texts,
            ["corpus_tokens", "corpus_gradients", "queries", "query_gradients", "language_model", SCORING],
            "text_scores",
            name="compare_texts",
        ),
        Node(
            nodes.compare_with_model,
            ["corpus_tokens", "corpus_gradients", "queries", "language_model", "params:gradients", SCORING],
            "model_scores",
            name="compare_with_model",
        ),
    ]
