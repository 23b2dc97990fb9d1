"""An interval holds the truth as often as it says, with few seeds, few sets and clustered items."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from social_provenance.estimation.multipliers import hash_names
from social_provenance.estimation.settings import Bootstrap
from social_provenance.forgetting.intervals import Arm, Draws, difference
from social_provenance.forgetting.readings import Clusters

if TYPE_CHECKING:
    from collections.abc import Sequence


def clusters_of(sizes: Sequence[int], name: str = "quiz") -> Clusters:
    shares = np.array(sizes) / sum(sizes)
    return Clusters(hash_names([f"{name}/{place}" for place in range(len(sizes))]), shares)


def pair(targeted: np.ndarray, random: np.ndarray, name: str = "quiz") -> list[Arm]:
    """Return two arms of units x clusters."""
    return [
        Arm("seed", 1, range(len(targeted)), [1] * len(targeted), {name: targeted}),
        Arm("set", -1, range(len(random)), [1] * len(random), {name: random}),
    ]


@pytest.mark.parametrize(("seeds", "sets", "unit_spread"), [(2, 5, 0.0), (3, 19, 0.1), (2, 5, 0.3), (1, 5, 0.3)])
def test_the_interval_covers_the_truth_as_often_as_it_says(seeds: int, sets: int, unit_spread: float) -> None:
    rng = np.random.default_rng(1)
    clusters = clusters_of([1, 3, 2, 2] * 6)
    draws = Draws(Bootstrap(replicates=400))
    hits, worlds = 0, 300
    for _ in range(worlds):
        shared = rng.normal(0, 0.4, 24)
        targeted = -0.5 + shared + rng.normal(0, unit_spread, (seeds, 1)) + rng.normal(0, 0.3, (seeds, 24))
        random = rng.normal(0, unit_spread, (sets, 1)) + rng.normal(0, 0.3, (sets, 24))
        low, high = draws.interval(difference(pair(targeted, random), {"quiz": clusters}, {"quiz": 1.0}))
        hits += low < -0.5 < high
    assert 0.90 <= hits / worlds <= 0.995  # nominal 0.95, standard error .013


def test_items_that_share_a_context_do_not_count_as_independent() -> None:
    values = np.random.default_rng(0).normal(size=12)
    shared = difference(
        pair(values[None].repeat(2, 0), np.zeros((5, 12))), {"quiz": clusters_of([25] * 12)}, {"quiz": 1.0}
    )
    alone = difference(
        pair(values.repeat(25)[None].repeat(2, 0), np.zeros((5, 300))), {"quiz": clusters_of([1] * 300)}, {"quiz": 1.0}
    )
    assert shared.value == pytest.approx(alone.value)
    assert shared.error / alone.error == pytest.approx(5, rel=0.05)  # the root of 25


@pytest.mark.parametrize(("n_seeds", "n_sets"), [(2, 2), (2, 6), (3, 6)])
def test_the_error_is_the_root_of_the_sum_of_the_unbiased_variances(n_seeds: int, n_sets: int) -> None:
    rng = np.random.default_rng(0)
    items, seeds, sets = rng.normal(size=40), rng.normal(size=(n_seeds, 1)), 3 * rng.normal(size=(n_sets, 1))
    found = difference(pair(items + seeds, 0 * items + sets), {"quiz": clusters_of([1] * 40)}, {"quiz": 1.0})
    variance = items.var(ddof=1) / 40 + seeds.var(ddof=1) / n_seeds + sets.var(ddof=1) / n_sets
    assert found.error == pytest.approx(variance**0.5)
    assert found.value == pytest.approx(items.mean() + seeds.mean() - sets.mean())


def test_what_items_and_runs_do_together_is_counted_once() -> None:
    rng = np.random.default_rng(0)
    clusters, errors, values = {"quiz": clusters_of([1] * 30)}, [], []
    for _ in range(400):
        noise = pair(rng.normal(size=(3, 30)), rng.normal(size=(5, 30)))
        found = difference(noise, clusters, {"quiz": 1.0})
        errors.append(found.error**2)
        values.append(found.value)
    # Twice as much if it were counted twice; what is taken off cannot be more than all, which leaves a third.
    assert 0.9 < np.mean(errors) / np.var(values) < 1.5
    assert np.var(values) == pytest.approx((1 / 3 + 1 / 5) / 30, rel=0.2)


@pytest.mark.parametrize("weight", [-1.0, 1 / 3, 2.0])
def test_a_weight_scales_the_difference_and_its_error(weight: float) -> None:
    rng = np.random.default_rng(0)
    arms = pair(rng.normal(size=(3, 1)) + rng.normal(size=(3, 12)), rng.normal(size=(5, 1)) + rng.normal(size=(5, 12)))
    clusters = {"quiz": clusters_of([1, 2, 3] * 4)}
    plain, scaled = (difference(arms, clusters, {"quiz": own}) for own in (1.0, weight))
    assert scaled.value == pytest.approx(weight * plain.value)
    assert scaled.error == pytest.approx(abs(weight) * plain.error)
    assert scaled.df == pytest.approx(plain.df)


def test_equal_arms_differ_by_nothing_without_width() -> None:
    same = np.random.default_rng(0).normal(size=(1, 20))
    found = difference(pair(same.repeat(2, 0), same.repeat(5, 0)), {"quiz": clusters_of([1] * 20)}, {"quiz": 1.0})
    np.testing.assert_allclose([found.value, *Draws(Bootstrap()).interval(found)], 0, atol=1e-12)


def test_swapping_arms_turns_the_sign_and_the_interval() -> None:
    rng = np.random.default_rng(0)
    one, other = pair(rng.normal(size=(4, 20)), rng.normal(size=(4, 20)))
    clusters = {"quiz": clusters_of([1] * 20)}
    there = difference([one, other], clusters, {"quiz": 1.0})
    back = difference([replace(other, sign=1), replace(one, sign=-1)], clusters, {"quiz": 1.0})
    assert back.value == pytest.approx(-there.value)
    assert back.error == pytest.approx(there.error)
    assert back.t_interval(0.9) == pytest.approx(tuple(-bound for bound in reversed(there.t_interval(0.9))))


def test_a_difference_in_differences_adds_the_noise_of_both_benchmarks_and_drops_what_runs_share() -> None:
    rng = np.random.default_rng(0)
    shift = rng.normal(size=(6, 1))
    items = {name: rng.normal(size=30) for name in ("quiz", "other")}
    clusters = {name: clusters_of([1] * 30, name) for name in items}
    arms = [
        Arm("seed", 1, range(6), [1] * 6, {name: own + shift for name, own in items.items()}),
        Arm("set", -1, range(6), [1] * 6, {name: 0 * own + shift for name, own in items.items()}),
    ]
    found = difference(arms, clusters, {"quiz": 1.0, "other": -1.0})
    assert found.value == pytest.approx(items["quiz"].mean() - items["other"].mean())
    variance = sum(own.var(ddof=1) for own in items.values()) / 30
    assert found.error == pytest.approx(variance**0.5)


def test_one_seed_borrows_the_spread_of_random_sets() -> None:
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(5, 1)) + np.zeros(20)
    found = difference(pair(np.zeros((1, 20)), sets), {"quiz": clusters_of([1] * 20)}, {"quiz": 1.0})
    assert found.error == pytest.approx((sets[:, 0].var(ddof=1) * (1 + 1 / 5)) ** 0.5)


def test_what_cannot_be_known_has_no_interval() -> None:
    rng = np.random.default_rng(0)
    one_set = difference(
        pair(rng.normal(size=(2, 9)), rng.normal(size=(1, 9))), {"quiz": clusters_of([1] * 9)}, {"quiz": 1.0}
    )
    one_cluster = difference(
        pair(rng.normal(size=(2, 1)), rng.normal(size=(5, 1))), {"quiz": clusters_of([7])}, {"quiz": 1.0}
    )
    for found in (one_set, one_cluster):
        assert np.isfinite(found.value)
        assert np.isnan([found.error, *Draws(Bootstrap()).interval(found), *found.t_interval(0.9)]).all()
