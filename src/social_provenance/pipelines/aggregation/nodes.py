"""Nodes of the aggregation pipeline."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation import contrasts, profiles, reference, scored, side_by_side, strength
from social_provenance.estimation.aggregate import aggregate
from social_provenance.estimation.agreement import compare
from social_provenance.estimation.influence import Influence
from social_provenance.estimation.reference import Published
from social_provenance.estimation.settings import Bootstrap
from social_provenance.estimation.top import top_documents
from social_provenance.estimation.two_way import Blocks

LABELS = ("doc_id", "topic", "format", "cluster_id", "bin_rank")


def resample_scores(
    scores: Any, blocks: Any, queries: Any, working_set: Any, prevalence: Any, bootstrap: Bootstrap
) -> Influence:
    """Return the influence of bins with the deviations that draws of documents and queries cause."""
    labels = working_set.select(*LABELS).to_pandas()
    weights = scored.block_weights(queries[queries["variant"] == "items"])
    by_block = Blocks(weights, partial(scored.read_blocks, blocks))
    columns = scores.select("doc_id", "benchmark", "method", "score").to_pandas()
    return aggregate(columns, labels, prevalence, bootstrap, by_block)


def aggregate_influence(influence: Influence) -> tuple[Any, Any, Any]:
    """Return the influence of bins, topics and formats."""
    return influence.bins(), influence.marginal("topic"), influence.marginal("format")


def contrast_benchmarks(influence: Influence, evaluation: Evaluation, bootstrap: Bootstrap) -> tuple[Any, Any]:
    """Return social minus STEM, and at which level it is sharper."""
    return (
        contrasts.contrast(influence, evaluation),
        strength.contrast_strength(influence, evaluation, bootstrap.seed),
    )


def compare_profiles(influence: Influence) -> tuple[Any, Any]:
    """Return how alike the profiles of two benchmarks are, and how reliable each is."""
    return profiles.profile_similarity(influence), profiles.profile_reliability(influence)


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
    maps = side_by_side.side_by_side(published_bins, bins)
    return (
        side_by_side.topic_means(maps),
        side_by_side.topic_contrasts(maps, evaluation),
        side_by_side.signatures(maps, published.signature_bins),
    )


def compare_reference(published_bins: Any, bins: Any) -> tuple[Any, Any]:
    """Return how alike benchmarks are in each map, and how far the study's maps agree with the published one."""
    maps = side_by_side.side_by_side(published_bins, bins)
    return side_by_side.similarity(maps), side_by_side.agreement_with_published(maps)
