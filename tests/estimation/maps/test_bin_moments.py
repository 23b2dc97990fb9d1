"""Means and variances of bins are those of pandas, and arrays of other documents are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.bin_moments import bin_moments, bin_sums


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(5, 2, size=(60, 2)), np.concatenate([[0], rng.integers(2, 7, size=59)])


def test_moments_are_those_of_pandas(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = drawn
    found = bin_moments(scores, bins, 8)
    groups = pd.DataFrame(scores).groupby(bins)
    np.testing.assert_array_equal(found.counts, groups.size().reindex(range(8), fill_value=0))
    np.testing.assert_allclose(found.means, groups.mean().reindex(range(8)))
    np.testing.assert_allclose(found.spread, groups.var().reindex(range(8)))
    rest = scores - groups.transform("mean").to_numpy()
    np.testing.assert_allclose(found.pooled_spread(), (rest**2).sum(axis=0) / (60 - 6))


def test_the_pooled_spread_of_one_pair_is_its_own_and_that_of_single_documents_is_nothing() -> None:
    pair = bin_moments(np.array([[1.0], [4.0], [9.0]]), np.array([0, 0, 1]), 2)
    np.testing.assert_allclose(pair.pooled_spread(), [4.5])
    assert bin_moments(np.array([[1.0], [4.0]]), np.array([0, 1]), 2).pooled_spread() == 0


def test_the_order_of_documents_is_nothing_and_that_of_bins_is_that_of_rows(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, bins = drawn
    plain, order = bin_moments(scores, bins, 8), np.random.default_rng(1).permutation(60)
    mixed, turned = bin_moments(scores[order], bins[order], 8), bin_moments(scores, 7 - bins, 8)
    np.testing.assert_allclose(mixed.means, plain.means)
    np.testing.assert_allclose(turned.spread, plain.spread[::-1])


def test_a_small_spread_at_a_high_level_is_kept_and_a_constant_has_none() -> None:
    bins = np.repeat([0, 1], 50)
    small = np.random.default_rng(0).normal(size=(100, 1))
    np.testing.assert_allclose(bin_moments(small + 1e6, bins, 2).spread, bin_moments(small, bins, 2).spread, rtol=1e-6)
    assert (bin_moments(np.full((100, 1), 0.1), bins, 2).spread == 0).all()


def test_sums_are_of_each_column() -> None:
    np.testing.assert_array_equal(
        bin_sums(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 3), [[3, 4], [6, 8], [0, 0]]
    )


@pytest.mark.parametrize(
    ("scores", "bins", "said"),
    [
        (np.array([[1.0], [np.nan]]), np.array([0, 0]), r"scores\[1, 0\] is nan"),
        (np.array([[1.0], [np.inf]]), np.array([0, 0]), r"scores\[1, 0\] is inf"),
        (np.ones((3, 1)), np.array([0, 0]), "bins are of 2 documents and scores of 3"),
        (np.ones(3), np.array([0, 0, 0]), r"shape \(3,\): give documents x columns"),
    ],
)
def test_what_does_not_belong_together_is_refused(scores: np.ndarray, bins: np.ndarray, said: str) -> None:
    with pytest.raises(AttributionError, match=said):
        bin_moments(scores, bins, 2)
