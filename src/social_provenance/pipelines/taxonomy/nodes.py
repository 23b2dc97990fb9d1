"""Nodes of the taxonomy pipeline."""

from __future__ import annotations

from typing import Any

from social_provenance.documents.sampling import describe_sample, draw_working_set, list_sample
from social_provenance.labelling import label
from social_provenance.pipelines.taxonomy.params import Labelling, WorkingSet


def label_documents(documents: Any, params: Labelling) -> tuple[Any, Any]:
    """Return every document with its labels, and how good the classifier is."""
    labels = label.label_documents(documents, **params.model_dump())
    return labels.labelled, labels.quality


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
