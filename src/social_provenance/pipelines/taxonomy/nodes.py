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
    """Describe the classifier for documents without labels; it is trained when the catalog saves the result."""
    return train.plan_classifier(documents, params)


def describe_classifier(classifier: dict[str, Path]) -> tuple[Any, Any, Any]:
    """Read quality, confusion matrix and reliability curve of the classifier."""
    quality = Quality.load(classifier.values())
    return quality.quality, quality.confusion, quality.reliability


def label_shards(documents: Any, classifier: dict[str, Path], params: Labelling) -> Parts:
    """Describe the labels of each shard; shards are labelled when the catalog saves the result."""
    return label.plan_labels(documents, classifier, params)


def join_labels(documents: Any, labels: Any) -> Any:
    """Join documents with their labels."""
    return label.join_labels(documents, labels)


def measure_prevalence(labelled: Any) -> Any:
    """Count documents per bin in the labelled corpus."""
    return label.count_bins(labelled)


def draw_documents(labelled: Any, documents: Any, params: WorkingSet) -> Any:
    """Draw the stratified sample, with texts."""
    return draw_working_set(labelled, documents, params.per_bin, params.seed)


def list_working_set(working_set: Any) -> Any:
    """List the documents of the working set, without texts: the sampling manifest."""
    return list_sample(working_set)


def describe_working_set(manifest: Any, labelled: Any, params: WorkingSet) -> dict[str, Any]:
    """Describe how the working set was drawn: the sampling contract."""
    return describe_sample(manifest, labelled, params.per_bin, params.seed, params.min_documents)
