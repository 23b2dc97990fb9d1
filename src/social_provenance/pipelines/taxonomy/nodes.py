"""Nodes of the taxonomy pipeline."""

from __future__ import annotations

from social_provenance.annotations import LazyTable, PartFolders, Record, Table
from social_provenance.artifacts import Parts
from social_provenance.documents.sampling import describe_sample, draw_working_set, list_sample
from social_provenance.labelling import label, train
from social_provenance.labelling.measure import Quality
from social_provenance.labelling.settings import Labelling
from social_provenance.pipelines.taxonomy.params import WorkingSet


def train_classifier(documents: LazyTable, params: Labelling) -> Parts:
    """Describe the classifier for documents without labels; it is trained when the catalog saves the result."""
    return train.plan_classifier(documents, params)


def describe_classifier(classifier: PartFolders) -> tuple[Table, Table, Table]:
    """Read quality, confusion matrix and reliability curve of the classifier."""
    quality = Quality.load(classifier.values())
    return quality.quality, quality.confusion, quality.reliability


def label_shards(documents: LazyTable, classifier: PartFolders, params: Labelling) -> Parts:
    """Describe the labels of each shard; shards are labelled when the catalog saves the result."""
    return label.plan_labels(documents, classifier, params)


def join_labels(documents: LazyTable, labels: LazyTable) -> LazyTable:
    """Join documents with their labels."""
    return label.join_labels(documents, labels)


def measure_prevalence(labelled: LazyTable) -> Table:
    """Count documents per bin in the labelled corpus."""
    return label.count_bins(labelled)


def draw_documents(labelled: LazyTable, documents: LazyTable, params: WorkingSet) -> LazyTable:
    """Draw the stratified sample, with texts."""
    return draw_working_set(labelled, documents, params.per_bin, params.seed)


def list_working_set(working_set: LazyTable) -> LazyTable:
    """List the documents of the working set, without texts: the sampling manifest."""
    return list_sample(working_set)


def describe_working_set(manifest: LazyTable, labelled: LazyTable, params: WorkingSet) -> Record:
    """Describe how the working set was drawn: the sampling contract."""
    return describe_sample(manifest, labelled, params.per_bin, params.seed, params.min_documents)
