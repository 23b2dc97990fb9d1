"""Pipeline from documents to a labelled corpus and its stratified working set."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.taxonomy import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``taxonomy``: label, measure prevalence, draw the working set."""
    return Pipeline(
        [
            Node(
                nodes.train_classifier,
                ["documents", "params:labelling"],
                "label_classifier",
                name="train_classifier",
            ),
            Node(
                nodes.describe_classifier,
                "label_classifier",
                ["classifier_quality", "classifier_confusion", "classifier_reliability"],
                name="describe_classifier",
            ),
            Node(
                nodes.label_shards,
                ["documents", "label_classifier", "params:labelling"],
                "shard_labels",
                name="label_shards",
            ),
            Node(
                nodes.join_labels,
                ["documents", "shard_labels"],
                "labelled_documents",
                name="join_labels",
            ),
            Node(
                nodes.measure_prevalence,
                "labelled_documents",
                "bin_prevalence",
                name="measure_prevalence",
            ),
            Node(
                nodes.draw_documents,
                ["labelled_documents", "documents", "params:working_set"],
                "working_set",
                name="draw_documents",
            ),
            Node(
                nodes.list_working_set,
                "working_set",
                "sampling_manifest",
                name="list_working_set",
            ),
            Node(
                nodes.describe_working_set,
                ["sampling_manifest", "labelled_documents", "params:working_set"],
                "sampling_contract",
                name="describe_working_set",
            ),
        ]
    )
