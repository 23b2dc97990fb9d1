"""The two-way bootstrap of bin means: unbiased variances, the same draw wherever a cluster or block stands."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.estimation.bootstrap.resample import (
    Groups,
    document_deviations,
    group_documents,
    interaction_variance,
    kish,
    query_deviations,
)


def _grouped(bins: list[int] | np.ndarray, clusters: list[str] | None = None, n_bins: int | None = None) -> Groups:
    bins = np.asarray(bins)
    names = clusters or [f"document {place}" for place in range(len(bins))]
    return group_documents(bins, hash_names(names), n_bins or int(bins.max()) + 1)


def _draw(counts: list[int], replicates: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    bins = np.repeat(np.arange(len(counts)), counts)
    scores = np.random.default_rng(7).normal(size=(len(bins), 1))
    return scores, document_deviations(_grouped(bins, n_bins=len(counts)), scores, replicates, seed)


def test_means_counts_and_sizes_are_those_of_the_bins() -> None:
    groups = _grouped([2, 0, 2, 2], ["a", "b", "c", "a"])
    scores = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 60.0], [6.0, 0.0]])
    np.testing.assert_array_equal(groups.counts, [1, 0, 3])
    np.testing.assert_array_equal(groups.clusters, [1, 0, 2])
    np.testing.assert_allclose(groups.ess(), [1, 0, 9 / 5])
    np.testing.assert_allclose(groups.means(scores[groups.order]), [[2, 20], [np.nan, np.nan], [11 / 3, 70 / 3]])


@pytest.mark.parametrize("n", [2, 3, 12])
def test_the_variance_over_documents_is_the_unbiased_one(n: int) -> None:
    scores, found = _draw([n], replicates=40_000)
    expected = scores.var(ddof=1) / n
    # The variance of 40,000 draws is known to about 1 %; without the correction it misses by a factor (n - 1) / n.
    assert (found[:, 0, 0].astype(float) ** 2).mean() == pytest.approx(expected, rel=0.04)
    assert found[:, 0, 0].mean() == pytest.approx(0, abs=4 * (expected / 40_000) ** 0.5)


def test_bins_of_fewer_than_two_clusters_have_no_deviations() -> None:
    bins = [1, 2, 2, 3, 3]
    scores = np.arange(5.0)[:, None]
    found = document_deviations(_grouped(bins, ["a", "b", "b", "c", "d"]), scores, 50, 0)
    assert not found[:, :3].any()
    assert found[:, 3].all()


def test_the_chunk_changes_nothing_but_the_last_digits() -> None:
    bins = np.repeat([0, 1], [50, 7])
    scores = np.random.default_rng(0).normal(size=(57, 3))
    one, other = (document_deviations(_grouped(bins), scores, 90, 5, chunk) for chunk in (4096, 3))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_documents_in_another_order_have_the_same_deviations() -> None:
    rng = np.random.default_rng(0)
    bins, names = rng.integers(0, 5, 80), [f"site {place % 30}" for place in range(80)]
    scores, order = rng.normal(size=(80, 2)), rng.permutation(80)
    one = document_deviations(_grouped(bins, names), scores, 30, 0)
    other = document_deviations(_grouped(bins[order], [names[place] for place in order]), scores[order], 30, 0)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_bins_in_another_order_have_the_same_deviations_in_that_order() -> None:
    rng = np.random.default_rng(0)
    bins, scores, renamed = rng.integers(0, 6, 80), rng.normal(size=(80, 2)), rng.permutation(6)
    one = document_deviations(_grouped(bins), scores, 30, 0)
    other = document_deviations(_grouped(renamed[bins], n_bins=6), scores, 30, 0)
    np.testing.assert_array_equal(one, other[:, renamed])


def test_columns_share_the_draw_of_a_replicate() -> None:
    first = np.random.default_rng(1).normal(size=8)
    found = document_deviations(_grouped(np.repeat([0, 1], [5, 3])), np.stack([first, 2 * first + 1], axis=1), 100, 3)
    np.testing.assert_allclose(found[..., 1], 2 * found[..., 0], rtol=1e-4, atol=1e-6)


def test_the_bins_of_a_column_are_drawn_independently() -> None:
    _, found = _draw([10, 10], replicates=4000)
    assert abs(np.corrcoef(found[:, 0, 0], found[:, 1, 0])[0, 1]) < 0.06  # four standard errors


def test_a_cluster_in_two_bins_moves_both() -> None:
    bins, names = np.repeat([0, 1], 6), [f"site {place}" for place in [*range(6), *range(6)]]
    scores = np.tile(np.random.default_rng(0).normal(size=6), 2)[:, None]
    found = document_deviations(_grouped(bins, names), scores, 50, 0)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_a_cluster_of_identical_copies_counts_as_one_document() -> None:
    scores = np.random.default_rng(0).normal(size=6)
    names = [f"text {place}" for place in range(6)]
    once = document_deviations(_grouped([0] * 6, names), scores[:, None], 50, 0)
    copied = _grouped([0] * 24, [*names] * 4)
    np.testing.assert_allclose(document_deviations(copied, np.tile(scores, 4)[:, None], 50, 0), once, atol=1e-6)
    np.testing.assert_allclose(copied.ess(), [6])


def test_every_document_once_more_keeps_the_mean_and_halves_the_variance() -> None:
    scores = np.random.default_rng(0).normal(size=60)
    twice = np.tile(scores, 2)[:, None]
    one, other = (
        document_deviations(_grouped([0] * len(own)), own, 8000, 0).astype(float).var()
        for own in (scores[:, None], twice)
    )
    # Exactly (n - 1) / (2 n - 1): the second sample's variance has other degrees of freedom.
    assert other / one == pytest.approx(59 / 119, rel=0.06)
    assert _grouped([0] * 120).means(twice)[0, 0] == pytest.approx(scores.mean())


def test_a_seed_gives_its_draws_again_and_another_seed_gives_others() -> None:
    _, one = _draw([6, 6], seed=5)
    _, again = _draw([6, 6], seed=5)
    _, other = _draw([6, 6], seed=6)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_a_score_does_not_matter(unit: float) -> None:
    scores = np.random.default_rng(0).normal(size=(9, 1)) + 100
    plain = document_deviations(_grouped([0] * 9), scores, 40, 0)
    np.testing.assert_allclose(document_deviations(_grouped([0] * 9), scores * unit, 40, 0), plain * unit, rtol=1e-4)


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [5, 1, 2]])
def test_the_variance_over_queries_is_the_unbiased_one_for_blocks_of_any_size(sizes: list[int]) -> None:
    # A block's mean has the variance 1 / size; the benchmark's mean then has 1 / sum of the sizes.
    weights, rng = np.array(sizes) / sum(sizes), np.random.default_rng(0)
    found = []
    for _ in range(3000):
        means = rng.normal(size=(1, len(sizes))) / np.sqrt(sizes)
        found.append((query_deviations(means, weights, "quiz", 20, int(rng.integers(2**40))).astype(float) ** 2).mean())
    assert np.mean(found) == pytest.approx(1 / sum(sizes), rel=0.1)


def test_a_block_has_one_draw_in_every_bin_and_in_its_benchmark_alone() -> None:
    means, weights = np.random.default_rng(0).normal(size=(1, 5)), np.full(5, 0.2)
    found = query_deviations(np.vstack([means, means, 3 * means]), weights, "quiz", 60, 0)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    np.testing.assert_allclose(3 * found[:, 0], found[:, 2], rtol=1e-5)
    other = query_deviations(means, weights, "puzzle", 60, 0)
    assert abs(np.corrcoef(found[:, 0], other[:, 0])[0, 1]) < 0.5


def test_one_block_and_an_empty_bin_have_no_deviations_over_queries() -> None:
    assert not query_deviations(np.array([[3.0]]), np.ones(1), "quiz", 9, 0).any()
    found = query_deviations(np.array([[np.nan, np.nan], [1.0, 2.0]]), np.full(2, 0.5), "quiz", 9, 0)
    assert not found[:, 0].any()
    assert found[:, 1].all()


def test_the_interaction_is_what_documents_and_queries_do_together() -> None:
    rng = np.random.default_rng(0)
    weights, found = np.full(5, 0.2), []
    groups = _grouped([0] * 8)
    for _ in range(400):
        own = rng.normal(size=(8, 5)) + 9 * rng.normal(size=(8, 1)) + 9 * rng.normal(size=5)
        found.append(interaction_variance(groups, own, weights, groups.means(own))[0])
    assert np.mean(found) == pytest.approx(1 / (8 * 5), rel=0.03)
    apart = rng.normal(size=(8, 1)) + rng.normal(size=5)
    assert interaction_variance(groups, apart, weights, groups.means(apart))[0] == pytest.approx(0, abs=1e-12)


def test_the_effective_number_of_equal_blocks_is_their_number() -> None:
    assert kish(np.full(7, 1 / 7)) == pytest.approx(7)
    assert kish(np.array([1.0, 0.0])) == 1
