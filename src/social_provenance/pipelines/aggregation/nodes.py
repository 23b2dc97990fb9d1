"""Nodes of the aggregation that prepare or combine; the others are functions of ``estimation`` themselves."""

from __future__ import annotations

from functools import partial

from social_provenance.annotations import LazyTable, PartFolders, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.comparison import explained, side_by_side
from social_provenance.estimation.comparison.agreement import compare_pairs
from social_provenance.estimation.comparison.reference import Published
from social_provenance.estimation.maps import contrasts, profiles, scored, strength
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.influence import Influence
from social_provenance.estimation.maps.scored import Scored
from social_provenance.estimation.maps.two_way import Blocks
from social_provenance.estimation.significance import discoveries, taxonomy_robustness
from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.walk.store import GradientStore

LABELS = (
    *("doc_id", "topic", "format", "cluster_id", "bin_rank"),
    *("n_chars", "topic_confidence", "format_confidence"),
)
"""Columns of the working set that the statistics need; the texts are not read."""


def join_scores(scores: LazyTable, working_set: LazyTable) -> Scored:
    """Return the scored documents with their bins, as arrays."""
    return scored.gather_scored(scored.read_scores(scores), working_set.select(*LABELS).to_pandas())


def resample_scores(
    documents: Scored, blocks: LazyTable, queries: Table, prevalence: Table, bootstrap: Bootstrap
) -> Influence:
    """Return the influence of bins with its deviations over resampled documents and queries."""
    weights = scored.block_weights(queries[queries["variant"] == "items"])
    by_block = Blocks(weights, partial(scored.read_blocks, blocks))
    return aggregate_scored(documents, prevalence, bootstrap, by_block)


def aggregate_marginals(influence: Influence, nulls: Table) -> tuple[Table, Table]:
    """Return the influence of topics, with their tests, and of formats."""
    return discoveries.aggregate_topics(influence, nulls), influence.marginal("format")


def contrast_benchmarks(influence: Influence, evaluation: Evaluation, bootstrap: Bootstrap) -> tuple[Table, Table]:
    """Return social minus STEM at each level, and whether topics differ more in it at the reasoning level."""
    return (
        contrasts.contrast(influence, evaluation),
        strength.contrast_strength(influence, evaluation, bootstrap.seed),
    )


def compare_profiles(influence: Influence) -> tuple[Table, Table]:
    """Return the similarity of the profiles of every two benchmarks, and the reliability of each profile."""
    return profiles.profile_similarity(influence), profiles.profile_reliability(influence)


def judge_by_nulls(documents: Scored, nulls: LazyTable, random_weights: LazyTable | None) -> tuple[Table, Table]:
    """Return the tests of every bin against each null, and the share of bins that the nulls themselves are called in.

    Random weights judge nothing: they have hardly any map, so that against their spread every map of the trained
    model stands out, that of wrong answers too. The calibration shows it; how alike both maps are is
    :func:`explain_maps`.

    Args:
        documents: The scored documents.
        nulls: Scores for items and null queries, each query scaled to norm 1.
        random_weights: Scores under a model with random weights, where there is one.
    """
    wide = {
        variant: scored.read_scores(table.filter(table.variant == variant))
        for table in (nulls, random_weights)
        if table is not None
        for variant in table.select("variant").distinct().order_by("variant").to_pyarrow()["variant"].to_pylist()
    }
    compared = discoveries.compared_with_nulls(documents, wide.pop(discoveries.ITEMS, None))
    judges = {variant: table for variant, table in wide.items() if variant != explained.UNTRAINED}
    return discoveries.null_tests(compared, judges), discoveries.null_calibration(compared, wide)


def explain_maps(
    influence: Influence,
    documents: Scored,
    nulls: LazyTable,
    random_weights: LazyTable | None,
    method: str,
    bootstrap: Bootstrap,
) -> Table:
    """Return how much of the default method's topic map baselines explain, and the same map under random weights.

    Args:
        influence: Influence of the scored documents.
        documents: The scored documents.
        nulls: Scores for items and null queries, each query scaled to norm 1.
        random_weights: Scores under a model with random weights, where there is one.
        method: The default method.
        bootstrap: Replicates, level and seed.
    """
    import pandas as pd

    tables = [explained.explain_by_methods(influence, method, method_names("texts"))]
    if random_weights is not None:
        items, untrained = (
            scored.read_scores(table.filter((table.variant == variant) & (table.method == method)))
            for table, variant in ((nulls, discoveries.ITEMS), (random_weights, explained.UNTRAINED))
        )
        compared = discoveries.compared_with_nulls(documents, items)
        tables.append(explained.explain_by_untrained(compared, untrained, method, bootstrap))
    return pd.concat(tables, ignore_index=True)


def check_labels(documents: Scored, quality: Table, corpus: PartFolders, bootstrap: Bootstrap) -> Table:
    """Return the agreement of the maps with those of weighted or flipped labels, and of topics with clusters."""
    states_of = GradientStore(corpus).states_of
    return taxonomy_robustness.check_labels(documents, quality, states_of, bootstrap.seed)


def compare_methods(bins: Table) -> Table:
    """Return the agreement of the maps of every two methods about a benchmark."""
    return compare_pairs(bins, "method", ["benchmark"])


def describe_reference(
    published_bins: Table, bins: Table, published: Published, evaluation: Evaluation
) -> tuple[Table, Table, Table]:
    """Return topics, contrasts and signatures of the published map and of this study's."""
    maps = side_by_side.side_by_side(published_bins, bins)
    return (
        side_by_side.topic_means(maps),
        side_by_side.topic_contrasts(maps, evaluation),
        side_by_side.signatures(maps, published.signature_bins),
    )


def compare_reference(published_bins: Table, bins: Table) -> tuple[Table, Table]:
    """Return the similarity of benchmarks within each map, and the agreement of this study with the published map."""
    maps = side_by_side.side_by_side(published_bins, bins)
    return side_by_side.similarity(maps), side_by_side.agreement_with_published(maps)
