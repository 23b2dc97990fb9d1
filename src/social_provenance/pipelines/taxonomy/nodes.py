"""Nodes of the taxonomy pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.documents.sampling import describe_sample, draw_working_set, list_sample
from social_provenance.labelling import label, train
from social_provenance.labelling.measure import Quality
from social_provenance.labelling.settings import Labelling
from social_provenance.pipelines.taxonomy.params import WorkingSet


def train_classifier(documents: Any, params: Labelling) -> Parts:
    """Return the classifier of what came without labels."""
    return train.plan_classifier(documents, params)


def describe_classifier(classifier: dict[str, Path]) -> tuple[Any, Any, Any]:
    """Return how good the classifier is, what it confuses, and what its confidence is worth."""
    quality = Quality.load(classifier.values())
    return quality.quality, quality.confusion, quality.reliability


def label_shards(documents: Any, classifier: dict[str, Path], params: Labelling) -> Parts:
    """Return the labels of each shard."""
    return label.plan_labels(documents, classifier, params)


def join_labels(documents: Any, labels: Any) -> Any:
    """Return every document with its labels."""
    return label.join_labels(documents, labels)


def measure_prevalence(labelled: Any) -> Any:
    """Return the share of each bin in the whole labelled corpus."""
    return label.count_bins(labelled)


def draw_documents(labelled: Any, documents: Any, params: WorkingSet) -> Any:
    """Return the stratified sample, with texts."""
    return draw_working_set(labelled, documents, params.per_bin, params.seed)


def list_working_set(working_set: Any) -> Any:
    """Return the sampling manifest."""
    return list_sample(working_set)


def describe_working_set(manifest: Any, labelled: Any, params: WorkingSet) -> dict[str, Any]:
    """Return the sampling contract."""
    return describe_sample(manifest, labelled, params.per_bin, params.seed, params.min_documents)
