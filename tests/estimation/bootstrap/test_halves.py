"""Halves have no document or block in common; reliability is 1 without noise and about 0 without a profile."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.bootstrap.halves import (
    document_halves,
    finite_correlation,
    query_halves,
    split_half_reliability,
)
from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.estimation.bootstrap.resample import group_documents


def _halves(bins: list[int], scores: np.ndarray, clusters: list[str] | None = None, seed: int = 0) -> np.ndarray:
    names = clusters or [f"document {place}" for place in range(len(bins))]
    return document_halves(group_documents(np.array(bins), hash_names(names), max(bins) + 1), scores, seed)


def test_halves_of_a_bin_are_its_documents_divided() -> None:
    found = _halves([0] * 4, np.array([[1.0], [10.0], [100.0], [1000.0]]))[..., 0, 0]
    np.testing.assert_allclose(found.sum(axis=0), 1111 / 2)
    assert len(np.unique(found[0])) > 2


def test_of_three_documents_either_half_is_sometimes_the_larger() -> None:
    found = _halves([0] * 3, np.array([[1.0], [10.0], [100.0]]))[..., 0, 0]
    alone = np.isin(found, [1, 10, 100])
    assert (alone.sum(axis=0) == 1).all()
    assert alone[0].any()
    assert alone[1].any()


def test_a_cluster_is_in_one_half_and_a_bin_of_one_has_none() -> None:
    scores = np.array([[1.0], [1.0], [5.0], [5.0], [7.0], [8.0]])
    found = _halves([0, 0, 0, 0, 1, 1], scores, ["a", "a", "b", "b", "c", "c"])
    assert set(found[:, :, 0].ravel()) == {1.0, 5.0}
    assert np.isnan(found[:, :, 1]).all()


def test_halves_of_the_queries_weigh_blocks_by_their_queries() -> None:
    weights = np.array([0.5, 0.25, 0.125, 0.125])
    found = query_halves(np.array([[1.0, 2.0, 4.0, 8.0]]), weights, "quiz", 0)[..., 0]
    pairs = {tuple(sorted(np.round(pair, 9))) for pair in found.T}
    possible = ((4 / 3, 6.0), (1.6, 4.0), (2.4, 8 / 3))
    assert pairs <= {tuple(np.round(pair, 9)) for pair in possible}
    assert len(pairs) > 1


def test_one_block_has_no_halves() -> None:
    assert np.isnan(query_halves(np.ones((3, 1)), np.ones(1), "quiz", 0)).all()


def test_a_seed_gives_its_splits_again() -> None:
    scores = np.random.default_rng(0).normal(size=(40, 1))
    bins = [0] * 20 + [1] * 20
    np.testing.assert_array_equal(_halves(bins, scores, seed=3), _halves(bins, scores, seed=3))
    assert (_halves(bins, scores, seed=3) != _halves(bins, scores, seed=4)).any()


@pytest.mark.parametrize(("noise", "expected"), [(0.0, 1.0), (1.0, 0.8), (1e6, 0.0)])
def test_reliability_is_the_share_of_the_profile_in_its_variance(noise: float, expected: float) -> None:
    # Means of 4 documents: variance 1 of the profile, noise ** 2 / 4 of the documents.
    rng = np.random.default_rng(0)
    bins = np.repeat(np.arange(500), 4)
    scores = rng.normal(size=500)[bins] + noise * rng.normal(size=len(bins))
    found = split_half_reliability(_halves(bins.tolist(), scores[:, None]))
    assert found[0] == pytest.approx(expected, abs=0.08)


def test_no_correlation_of_a_constant_or_of_two_labels() -> None:
    assert np.isnan(finite_correlation(np.ones(5), np.arange(5.0)))
    assert np.isnan(finite_correlation(np.array([1.0, 2.0, np.nan]), np.arange(3.0)))
    assert finite_correlation(np.array([1.0, 2.0, np.nan, 4.0]), np.array([2.0, 4.0, 9.0, 8.0])) == pytest.approx(1)


def test_profiles_that_contradict_themselves_are_as_unreliable_as_can_be() -> None:
    profile = np.arange(5.0)
    halves = np.stack([profile, -profile])[:, None, :, None]
    assert split_half_reliability(halves)[0] == -1
