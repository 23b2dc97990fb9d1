"""Nodes of the aggregation pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation import profiles, reference
from social_provenance.estimation.aggregate import Influence, aggregate
from social_provenance.estimation.agreement import compare
from social_provenance.estimation.contrasts import contrast
from social_provenance.estimation.reference import Published
from social_provenance.estimation.settings import Bootstrap
from social_provenance.estimation.top import top_documents


def aggregate_influence(
    scores: Any, working_set: Any, prevalence: Any, bootstrap: Bootstrap, evaluation: Evaluation
) -> tuple[Any, Any, Any, Any]:
    """Return the influence of bins, topics and formats, and the contrasts between benchmarks."""
    labels = working_set.select("doc_id", "topic", "format").to_pandas()
    influence: Influence = aggregate(scores.to_pandas(), labels, prevalence, bootstrap)
    return (
        influence.bins(),
        influence.marginal("topic"),
        influence.marginal("format"),
        contrast(influence, evaluation),
    )


def pick_documents(scores: Any, working_set: Any, method: str) -> Any:
    """Return the documents of highest score for each benchmark."""
    own = scores.filter(scores.method == method).to_pandas()
    return top_documents(own, working_set, method)


def compare_methods(bins: Any) -> Any:
    """Return how far the maps of any two methods agree about a benchmark."""
    return compare(bins, "method", ["benchmark"])


def read_reference(files: dict[Path, Any] | None, published: Published, evaluation: Evaluation) -> Any:
    """Return the published map; an empty table where there is none."""
    return reference.read_reference(files, published, evaluation)


def describe_reference(published_bins: Any, bins: Any, published: Published, evaluation: Evaluation) -> tuple[Any, ...]:
    """Return topics, contrasts and signatures of the published map, and of the study's own beside it."""
    maps = profiles.side_by_side(published_bins, bins)
    return (
        profiles.topic_means(maps),
        profiles.topic_contrasts(maps, evaluation),
        profiles.signatures(maps, published.signature_bins),
    )


def compare_reference(published_bins: Any, bins: Any) -> tuple[Any, Any]:
    """Return how alike benchmarks are in each map, and how far the study's maps agree with the published one."""
    maps = profiles.side_by_side(published_bins, bins)
    return profiles.similarity(maps), profiles.agreement_with_published(maps)
