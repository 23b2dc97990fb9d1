"""Train the model of a small study; big ones bring theirs."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.pretraining import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``pretraining``: a tokenizer and a model from the documents."""
    return Pipeline(
        [
            Node(
                nodes.train_tokenizer,
                ["documents", "params:pretraining"],
                "tokenizer",
                name="train_tokenizer",
            ),
            Node(
                nodes.train_model,
                ["documents", "tokenizer", "benchmark_items", "params:pretraining", "params:evaluation"],
                ["language_model", "pretraining_log", "checkpoints"],
                name="train_model",
            ),
        ]
    )
