"""Family-wise error is held, p is that of scipy's permutation test, and p for the family is never below it.

Simulations count false discoveries over many worlds without effects. A rate is refused when even the
lower end of its interval (Clopper & Pearson, 99 %) is above the level, and a wrong test is refused by
the same bound.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from social_provenance.errors import AttributionError
from social_provenance.estimation.permutation import MaxT, Permutations, length_strata, max_t


def _interval(hits: int, trials: int) -> tuple[float, float]:
    low, high = proportion_confint(hits, trials, alpha=0.01, method="beta")
    return float(low), float(high)


def _world(rng: np.random.Generator, n_bins: int = 24, per_bin: int = 5, columns: int = 2) -> tuple[np.ndarray, ...]:
    """Return correlated skewed scores that rise with length, permuted labels, and lengths."""
    bins = rng.permutation(np.repeat(np.arange(n_bins), per_bin))
    lengths = rng.integers(10, 4096, size=len(bins))
    shared = rng.exponential(size=(len(bins), 1))
    return shared + rng.exponential(size=(len(bins), columns)) + lengths[:, None] / 1000, bins, lengths


def test_strata_are_quantiles_and_ties_stay_together() -> None:
    lengths = np.random.default_rng(0).integers(1, 5000, size=1000)
    strata = length_strata(lengths, 10)
    assert set(np.bincount(strata)) <= set(range(97, 104))
    assert (np.diff(strata[np.argsort(lengths)]) >= 0).all()
    assert (length_strata(np.full(50, 7), 10) == length_strata(np.full(50, 7), 10)[0]).all()
    assert (length_strata(lengths, 1) == 0).all()
    with pytest.raises(AttributionError, match="strata is 0"):
        length_strata(lengths, 0)


def test_p_alone_is_that_of_scipys_permutation_test() -> None:
    rng = np.random.default_rng(0)
    scores, bins = rng.normal(size=(12, 1)) + np.repeat([0.0, 1.2], 6)[:, None], np.repeat([0, 1], 6)
    known = stats.permutation_test(
        (scores[:6, 0], scores[6:, 0]), lambda x, y: abs(x.mean() - y.mean()), n_resamples=np.inf, alternative="greater"
    ).pvalue
    found = max_t(scores, bins, 2, np.zeros(12, dtype=int), Permutations(20_000, prior_df=np.inf))
    np.testing.assert_allclose(found.p, known, atol=4 * np.sqrt(known / 20_000))
    assert known < 0.2


def test_without_prior_and_strata_the_statistic_is_t() -> None:
    rng = np.random.default_rng(0)
    scores, bins = rng.normal(size=(40, 2)), np.repeat(np.arange(4), 10)
    found = max_t(scores, bins, 4, np.zeros(40, dtype=int), Permutations(1, prior_df=0))
    for bin_ in range(4):
        own = (scores - scores.mean(axis=0))[bins == bin_]
        np.testing.assert_allclose(found.statistic[bin_], stats.ttest_1samp(own, 0).statistic)


@pytest.mark.parametrize("step_down", [False, True])
def test_p_for_the_family_is_never_below_p_and_steps_down_are_never_above_one_step(step_down: bool) -> None:
    rng = np.random.default_rng(1)
    scores, bins, lengths = _world(rng)
    scores[bins < 2] += 8
    found, single = (
        max_t(scores, bins, 26, length_strata(lengths, 4), Permutations(199, step_down=down))
        for down in (step_down, False)
    )
    there = np.isfinite(found.statistic)
    assert (found.p_adjusted[there] >= found.p[there]).all()
    assert (found.p_adjusted[there] <= single.p_adjusted[there]).all()
    assert np.isnan(found.p_adjusted[24:]).all()  # bins without documents
    order = np.argsort(-np.abs(found.statistic[there]))
    assert (np.diff(found.p_adjusted[there][order]) >= 0).all()
    assert (found.p_adjusted[:2] <= 0.05).all()


def _false_calls(found: MaxT) -> bool:
    return bool((found.p_adjusted <= 0.05).any())


@pytest.mark.parametrize("step_down", [False, True])
def test_the_family_wise_error_is_held(step_down: bool) -> None:
    """Worlds of 24 bins x 2 benchmarks, skewed scores that rise with length: 300 of them, 99 permutations.

    A rate of .05 is measured to +- .03 (99 %).
    """
    hits = alone = 0
    for world in range(300):
        scores, bins, lengths = _world(np.random.default_rng(world))
        found = max_t(scores, bins, 24, length_strata(lengths, 4), Permutations(99, world, step_down=step_down))
        hits += _false_calls(found)
        alone += bool((found.p <= 0.05).any())
    low, high = _interval(hits, 300)
    assert low <= 0.05
    assert high < 0.13
    assert _interval(alone, 300)[0] > 0.5  # the bins each for itself are wrong almost always


def test_the_family_wise_error_is_held_for_bins_beside_one_with_an_effect() -> None:
    hits = 0
    for world in range(200):
        scores, bins, lengths = _world(np.random.default_rng(world), per_bin=10)
        scores[bins == 0] += 5
        found = max_t(scores, bins, 24, length_strata(lengths, 2), Permutations(99, world))
        assert (found.p_adjusted[0] <= 0.05).all()
        hits += bool((found.p_adjusted[1:] <= 0.05).any())
    assert _interval(hits, 200)[0] <= 0.05


def test_a_bin_of_long_documents_is_called_without_strata_and_not_with_them() -> None:
    rng = np.random.default_rng(0)
    bins = np.repeat(np.arange(20), 15)
    lengths = np.where(bins == 0, rng.integers(3000, 4000, 300), rng.integers(10, 4000, 300))
    scores = lengths[:, None] / 1000 + 0.3 * rng.normal(size=(300, 1))
    free, within = (max_t(scores, bins, 20, length_strata(lengths, n), Permutations(199)) for n in (1, 20))
    assert free.p_adjusted[0, 0] <= 0.05
    assert within.p_adjusted[0, 0] > 0.05


def test_what_all_documents_of_a_stratum_share_does_not_matter() -> None:
    scores, bins, lengths = _world(np.random.default_rng(0))
    strata = length_strata(lengths, 4)
    plain = max_t(scores, bins, 24, strata, Permutations(50))
    moved = max_t(scores + np.array([0.0, 5, -3, 40])[strata][:, None], bins, 24, strata, Permutations(50))
    np.testing.assert_allclose(moved.statistic, plain.statistic, rtol=1e-9)
    np.testing.assert_array_equal(moved.p_adjusted, plain.p_adjusted)


def test_documents_change_places_within_their_stratum_only() -> None:
    """Ten documents vary and lie in two bins; ninety of another stratum do not. Only the ten can be permuted."""
    rng = np.random.default_rng(0)
    own = rng.normal(size=10) + np.repeat([0.0, 1.0], 5)
    scores = np.concatenate([own, np.full(90, 7.0)])[:, None]
    bins, strata = np.concatenate([np.repeat([0, 1], 5), np.repeat(np.arange(2, 8), 15)]), np.repeat([0, 1], [10, 90])
    found = max_t(scores, bins, 8, strata, Permutations(5000, prior_df=np.inf))
    known = stats.permutation_test(
        (own[:5], own[5:]), lambda x, y: abs(x.mean() - y.mean()), n_resamples=np.inf, alternative="greater"
    ).pvalue
    np.testing.assert_allclose(found.p[:2, 0], known, atol=4 * np.sqrt(known / 5000))
    np.testing.assert_array_equal(found.p[2:], 1)


def test_the_order_of_bins_is_that_of_the_result_and_of_documents_nothing() -> None:
    scores, bins, lengths = _world(np.random.default_rng(0), n_bins=8)
    strata, order = length_strata(lengths, 4), np.random.default_rng(1).permutation(len(bins))
    plain = max_t(scores, bins, 8, strata, Permutations(500))
    turned = max_t(scores, 7 - bins, 8, strata, Permutations(500))
    mixed = max_t(scores[order], bins[order], 8, strata[order], Permutations(500))
    np.testing.assert_allclose(turned.statistic, plain.statistic[::-1])
    np.testing.assert_allclose(mixed.statistic, plain.statistic)
    # Other rows meet other draws: p is the same up to four errors of 500 permutations.
    for other in (turned.p_adjusted[::-1], mixed.p_adjusted):
        np.testing.assert_allclose(other, plain.p_adjusted, atol=4 * np.sqrt(2 * 0.25 / 500))


def test_a_constant_score_is_no_discovery_and_two_equal_documents_are_not_infinite() -> None:
    rng = np.random.default_rng(0)
    bins = np.concatenate([np.repeat(np.arange(5), 4), [5, 5, 6]])
    constant = max_t(np.full((23, 1), 0.1), bins, 8, np.zeros(23, dtype=int), Permutations(50))
    np.testing.assert_array_equal(constant.statistic[:6], 0)
    np.testing.assert_array_equal(constant.p_adjusted[:6], 1)
    assert np.isnan(constant.statistic[6:]).all()  # one document, none
    scores = rng.normal(size=(23, 1))
    scores[20:22] = 0.5
    assert np.abs(max_t(scores, bins, 8, np.zeros(23, dtype=int), Permutations(50)).statistic[5, 0]) < 5


def test_a_seed_gives_its_permutations_again() -> None:
    scores, bins, lengths = _world(np.random.default_rng(0))
    one, again, other = (max_t(scores, bins, 24, length_strata(lengths), Permutations(99, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.p, again.p)
    assert (one.p != other.p).any()


def test_what_does_not_belong_together_is_refused() -> None:
    scores, bins, lengths = _world(np.random.default_rng(0))
    with pytest.raises(AttributionError, match="strata are of 119 documents and scores of 120"):
        max_t(scores, bins, 24, length_strata(lengths)[1:])
    with pytest.raises(AttributionError, match=r"permutations\.count is 0"):
        max_t(scores, bins, 24, length_strata(lengths), Permutations(0))
    with pytest.raises(AttributionError, match=r"scores\[0, 0\] is nan"):
        max_t(scores * np.nan, bins, 24, length_strata(lengths))


def test_a_permutation_that_puts_documents_where_they_were_counts_as_one() -> None:
    # Two bins of two: of the six ways to fill them two are as far apart as the observed one, itself among them.
    scores, bins = np.array([[0.1], [0.4], [10.2], [10.5]]), np.array([0, 0, 1, 1])
    found = max_t(scores, bins, 2, np.zeros(4, dtype=int), Permutations(count=1200))
    np.testing.assert_allclose(found.p, 1 / 3, atol=0.055)  # four standard errors of 1,200 permutations
