"""How much of a map is more than chance, and whether it rests on its labels."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.aggregation import nodes


def create_judgements() -> Pipeline:
    """Wire the tests of bins: against their mean, against nulls, against other labels."""
    return Pipeline(
        [
            Node(
                nodes.test_bins,
                ["influence_replicates", "document_scores", "working_set", "params:bootstrap"],
                "bin_tests",
                name="test_bins",
            ),
            Node(
                nodes.judge_by_nulls,
                ["document_scores", "null_scores", "random_weights_scores", "working_set"],
                ["null_tests", "null_calibration"],
                name="judge_by_nulls",
            ),
            Node(nodes.part_maps, "influence_replicates", "map_parts", name="part_maps"),
            Node(
                nodes.check_labels,
                ["document_scores", "working_set", "classifier_quality", "corpus_gradients", "params:bootstrap"],
                "taxonomy_robustness",
                name="check_labels",
            ),
        ]
    )
