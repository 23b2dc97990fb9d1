"""Tests of maps against chance, and their robustness to the labels."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.estimation.significance.discoveries import decompose_maps
from social_provenance.pipelines.aggregation import nodes


def create_judgements() -> Pipeline:
    """Return the tests of maps against nulls and noise, and the checks of their labels."""
    return Pipeline(
        [
            Node(
                nodes.judge_by_nulls,
                ["scored_documents", "null_scores", "random_weights_scores"],
                ["null_tests", "null_calibration"],
                name="judge_by_nulls",
            ),
            Node(decompose_maps, "influence_replicates", "map_parts", name="decompose_maps"),
            Node(
                nodes.check_labels,
                ["scored_documents", "classifier_quality", "corpus_gradients", "params:bootstrap"],
                "taxonomy_robustness",
                name="check_labels",
            ),
        ]
    )
