"""Nodes of the aggregation pipeline."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.comparison import reference, side_by_side
from social_provenance.estimation.comparison.agreement import compare_pairs
from social_provenance.estimation.comparison.reference import Published
from social_provenance.estimation.maps import contrasts, profiles, scored, strength
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.influence import Influence
from social_provenance.estimation.maps.scored import Scored
from social_provenance.estimation.maps.top_documents import top_documents
from social_provenance.estimation.maps.two_way import Blocks
from social_provenance.estimation.significance import discoveries, taxonomy_robustness
from social_provenance.gradients.walk.store import GradientStore

LABELS = (
    *("doc_id", "topic", "format", "cluster_id", "bin_rank"),
    *("n_chars", "topic_confidence", "format_confidence"),
)


def join_scores(scores: Any, working_set: Any) -> Scored:
    """Return the scored documents with their bins, as arrays."""
    return scored.gather_scored(scored.read_scores(scores), working_set.select(*LABELS).to_pandas())


def resample_scores(documents: Scored, blocks: Any, queries: Any, prevalence: Any, bootstrap: Bootstrap) -> Influence:
    """Return the influence of bins with the deviations that draws of documents and queries cause."""
    weights = scored.block_weights(queries[queries["variant"] == "items"])
    by_block = Blocks(weights, partial(scored.read_blocks, blocks))
    return aggregate_scored(documents, prevalence, bootstrap, by_block)


def aggregate_bins(influence: Influence, documents: Scored, nulls: Any, bootstrap: Bootstrap) -> Any:
    """Return the influence of bins, its uncertainty, and what of it is more than chance."""
    return discoveries.bin_influence(influence, documents, nulls, bootstrap)


def aggregate_marginals(influence: Influence) -> tuple[Any, Any]:
    """Return the influence of topics and formats."""
    return influence.marginal("topic"), influence.marginal("format")


def contrast_benchmarks(influence: Influence, evaluation: Evaluation, bootstrap: Bootstrap) -> tuple[Any, Any]:
    """Return social minus STEM, and at which level it is sharper."""
    return (
        contrasts.contrast(influence, evaluation),
        strength.contrast_strength(influence, evaluation, bootstrap.seed),
    )


def compare_profiles(influence: Influence) -> tuple[Any, Any]:
    """Return how alike the profiles of two benchmarks are, and how reliable each is."""
    return profiles.profile_similarity(influence), profiles.profile_reliability(influence)


def judge_by_nulls(documents: Scored, nulls: Any, random_weights: Any) -> tuple[Any, Any]:
    """Return every bin by what nulls do to bins, and how often nulls call a bin themselves."""
    tables = [table for table in (nulls, random_weights) if table is not None]
    wide = {
        variant: scored.read_scores(table.filter(table.variant == variant))
        for table in tables
        for variant in table.select("variant").distinct().order_by("variant").to_pyarrow()["variant"].to_pylist()
    }
    return discoveries.null_tests(documents, wide), discoveries.null_calibration(documents, wide)


def part_maps(influence: Influence) -> Any:
    """Return what of each map is topic, format, neither, and noise."""
    return discoveries.map_parts(influence)


def check_labels(documents: Scored, quality: Any, corpus: dict[str, Path], bootstrap: Bootstrap) -> Any:
    """Return how far the maps move with confidence as weight, with labels flipped, and how far clusters go."""
    states_of = GradientStore(corpus).states_of
    return taxonomy_robustness.check_labels(documents, quality, states_of, bootstrap.seed)


def pick_documents(scores: Any, working_set: Any, method: str) -> Any:
    """Return the documents of highest score for each benchmark."""
    own = scores.filter(scores.method == method).to_pandas()
    return top_documents(own, working_set, method)


def compare_methods(bins: Any) -> Any:
    """Return how far the maps of any two methods agree about a benchmark."""
    return compare_pairs(bins, "method", ["benchmark"])


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
