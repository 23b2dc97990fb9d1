"""How much of a map is more than chance, and whether it rests on its labels."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.aggregation import nodes


def create_judgements() -> Pipeline:
    """Wire what maps are judged by: nulls, the noise of documents, other labels."""
    return Pipeline(
        [
            Node(
                nodes.judge_by_nulls,
                ["scored_documents", "null_scores", "random_weights_scores"],
                ["null_tests", "null_calibration"],
                name="judge_by_nulls",
            ),
            Node(nodes.part_maps, "influence_replicates", "map_parts", name="part_maps"),
            Node(
                nodes.check_labels,
                ["scored_documents", "classifier_quality", "corpus_gradients", "params:bootstrap"],
                "taxonomy_robustness",
                name="check_labels",
            ),
        ]
    )
