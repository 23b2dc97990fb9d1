"""Where influence was while the model was trained: the same documents and queries under each checkpoint."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.trajectory import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``trajectory``: a gradient store for each checkpoint, scores, bin maps."""
    return Pipeline(
        [
            Node(
                nodes.collect_checkpoint_gradients,
                [
                    "corpus_tokens",
                    "queries",
                    "checkpoints",
                    "language_model",
                    "params:gradients",
                    "params:attribution.distributed",
                ],
                ["trajectory_gradients", "trajectory_query_gradients"],
                name="collect_checkpoint_gradients",
            ),
            Node(
                nodes.score_checkpoints,
                ["trajectory_gradients", "trajectory_query_gradients", "params:scoring"],
                "trajectory_scores",
                name="score_checkpoints",
            ),
            Node(
                nodes.trace_bins,
                ["trajectory_scores", "corpus_tokens"],
                "influence_trajectory",
                name="trace_bins",
            ),
        ]
    )
