"""Train for a few extra steps on each region, and measure the change of the benchmarks."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.tail_patch import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``tail_patch``."""
    return Pipeline(
        [
            Node(
                nodes.patch_regions,
                [
                    "corpus_tokens",
                    "language_model",
                    "benchmark_requests",
                    "params:evaluation.batch_size",
                    "params:tail_patch",
                ],
                "tail_patch_changes",
                name="patch_regions",
            ),
            Node(
                nodes.summarise_patches,
                ["tail_patch_changes", "params:bootstrap.confidence"],
                "tail_patch",
                name="summarise_patches",
            ),
        ]
    )
