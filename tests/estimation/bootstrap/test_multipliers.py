"""Multipliers have the moments of a bootstrap's, and belong to a name, a replicate and a seed alone."""

from __future__ import annotations

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import derive_hashes, hash_names, multipliers

NAMES = [f"cluster {number}" for number in range(3000)]


def test_moments_are_nought_one_and_one() -> None:
    draws = multipliers(hash_names(NAMES), 400, seed=0).astype(float)
    assert abs(draws.mean()) < 0.004  # four standard errors of 1.2 million draws
    assert abs((draws**2).mean() - 1) < 0.008
    assert abs((draws**3).mean() - 1) < 0.04


def test_replicates_and_clusters_are_not_correlated() -> None:
    draws = multipliers(hash_names(NAMES), 400, seed=0)
    between_replicates = np.corrcoef(draws.T)[np.triu_indices(400, 1)]
    between_clusters = np.corrcoef(draws[:400])[np.triu_indices(400, 1)]
    assert np.abs(between_replicates).max() < 5.5 / len(NAMES) ** 0.5
    assert np.abs(between_clusters).max() < 5.5 / 400**0.5
    assert abs(between_replicates.std() * len(NAMES) ** 0.5 - 1) < 0.02


def test_a_name_has_the_same_draws_in_any_company() -> None:
    hashes = hash_names(NAMES)
    order = np.random.default_rng(0).permutation(len(NAMES))
    np.testing.assert_array_equal(multipliers(hashes[order], 9, 4), multipliers(hashes, 9, 4)[order])
    np.testing.assert_array_equal(multipliers(hashes[:5], 9, 4), multipliers(hashes, 9, 4)[:5])


def test_more_replicates_keep_the_first_ones() -> None:
    hashes = hash_names(NAMES[:50])
    np.testing.assert_array_equal(multipliers(hashes, 7, 1), multipliers(hashes, 30, 1)[:, :7])


def test_another_seed_gives_other_draws_and_any_whole_number_is_one() -> None:
    hashes = hash_names(NAMES[:50])
    draws = [multipliers(hashes, 8, seed) for seed in (0, 1, -1, 2**63)]
    assert len({draw.tobytes() for draw in draws}) == len(draws)


def test_hashes_of_a_name_are_known_numbers() -> None:
    # A study has to be computed again on another machine, so these must never change.
    assert hash_names(["a", "b"]).tolist() == [13950350942979735504, 12688059582079114975]
    assert derive_hashes(np.array([1], dtype=np.uint64), 0, 2).tolist() == [[16899028431761561291, 658006869215568080]]
