"""The bootstrap of bin means: its variance is s**2 / n, its draws are paired over the columns."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.resample import BinMeans, bootstrap_bins, interval


def _draw(counts: list[int], columns: int = 1, replicates: int = 200, seed: int = 0) -> tuple[np.ndarray, BinMeans]:
    bins = np.repeat(np.arange(len(counts)), counts)
    scores = np.random.default_rng(7).normal(size=(len(bins), columns))
    return scores, bootstrap_bins(scores, bins, len(counts), replicates, seed)


def test_means_and_counts_are_those_of_the_bins() -> None:
    scores = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 60.0], [6.0, 0.0]])
    found = bootstrap_bins(scores, np.array([2, 0, 2, 2]), 3, replicates=1, seed=0)
    np.testing.assert_array_equal(found.counts, [1, 0, 3])
    np.testing.assert_allclose(found.means, [[2, 20], [np.nan, np.nan], [11 / 3, 70 / 3]])


@pytest.mark.parametrize("n", [2, 3, 12])
def test_the_variance_of_a_resampled_mean_is_the_unbiased_one(n: int) -> None:
    scores, found = _draw([n], replicates=40_000)
    expected = scores.var(ddof=1) / n
    # The variance of 40,000 draws is known to about 1 %; n draws of n would miss by a factor (n - 1) / n.
    assert found.replicates[:, 0, 0].var() == pytest.approx(expected, rel=0.04)
    assert found.replicates[:, 0, 0].mean() == pytest.approx(scores.mean(), abs=4 * (expected / 40_000) ** 0.5)


def test_a_bin_is_resampled_from_its_own_documents_only() -> None:
    scores = np.array([[0.0], [0.5], [100.0], [101.0]])
    found = bootstrap_bins(scores, np.array([0, 0, 1, 1]), 2, replicates=50, seed=0)
    assert set(found.replicates[:, 0, 0]) == {0.0, 0.5}
    assert set(found.replicates[:, 1, 0]) == {100.0, 101.0}


def test_bins_of_fewer_than_two_documents_have_no_replicates() -> None:
    _, found = _draw([0, 1, 2])
    assert np.isnan(found.replicates[:, :2]).all()
    assert np.isfinite(found.replicates[:, 2]).all()


def test_columns_share_the_draw_of_a_replicate() -> None:
    bins = np.repeat([0, 1], [5, 3])
    first = np.random.default_rng(1).normal(size=len(bins))
    found = bootstrap_bins(np.stack([first, 2 * first + 1], axis=1), bins, 2, replicates=100, seed=3)
    np.testing.assert_allclose(found.replicates[..., 1], 2 * found.replicates[..., 0] + 1)


def test_the_bins_of_a_column_are_drawn_independently() -> None:
    _, found = _draw([10, 10], replicates=4000)
    correlation = np.corrcoef(found.replicates[:, 0, 0], found.replicates[:, 1, 0])[0, 1]
    assert abs(correlation) < 0.06  # four standard errors


def test_the_order_of_the_bins_documents_is_all_that_the_order_of_rows_changes() -> None:
    bins = np.repeat([0, 1, 2], [4, 3, 5])
    scores = np.arange(12.0)[:, None]
    mixed = np.argsort(np.tile([2, 0, 1], 4), kind="stable")
    mixed = mixed[np.argsort(bins[mixed], kind="stable")][::-1]
    one = bootstrap_bins(scores, bins, 3, replicates=5, seed=0)
    other = bootstrap_bins(scores[mixed], bins[mixed], 3, replicates=5, seed=0)
    np.testing.assert_allclose(one.means, other.means)
    np.testing.assert_array_equal(one.counts, other.counts)


def test_a_seed_gives_its_draws_again_and_another_seed_gives_others() -> None:
    _, one = _draw([6, 6], seed=5)
    _, again = _draw([6, 6], seed=5)
    _, other = _draw([6, 6], seed=6)
    np.testing.assert_array_equal(one.replicates, again.replicates)
    assert (one.replicates != other.replicates).any()


def test_an_interval_takes_equal_tails_and_stays_empty_where_nothing_was_drawn() -> None:
    replicates = np.stack([np.arange(101.0), np.full(101, np.nan)], axis=1)
    low, high = interval(replicates, confidence=0.9)
    np.testing.assert_allclose([low[0], high[0]], [5, 95])
    assert np.isnan([low[1], high[1]]).all()
