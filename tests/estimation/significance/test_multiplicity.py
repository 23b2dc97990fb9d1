"""What is called under no effect stays under its level, and q and p are those of scipy and statsmodels.

Simulations count false discoveries over many worlds without effects. A rate is refused when even the
lower end of its interval (Clopper & Pearson, 99 %) is above the level, and a wrong test is refused by
the same bound.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.bin_moments import bin_moments
from social_provenance.estimation.significance.multiplicity import q_values, two_sided_p


def _interval(hits: int, trials: int) -> tuple[float, float]:
    low, high = proportion_confint(hits, trials, alpha=0.01, method="beta")
    return float(low), float(high)


@pytest.mark.parametrize("shape", [(576, 8), (3,), (2, 3, 4)])
def test_q_is_that_of_statsmodels_and_nan_passes_through(shape: tuple[int, ...]) -> None:
    p = np.random.default_rng(0).random(shape) ** 3
    p.flat[1] = np.nan
    q = q_values(p)
    there = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(q), ~there)
    np.testing.assert_allclose(q[there], multipletests(p[there], method="fdr_bh")[1])
    assert (q[there] >= p[there]).all()


def test_q_without_any_p_is_empty_and_what_is_no_probability_is_refused() -> None:
    assert np.isnan(q_values(np.full((2, 2), np.nan))).all()
    with pytest.raises(AttributionError, match=r"p is 1\.5"):
        q_values(np.array([0.5, 1.5]))


def test_p_is_that_of_scipy() -> None:
    sample = np.random.default_rng(0).normal(0.3, size=(4, 50))
    error = sample.std(axis=0, ddof=1) / 2
    np.testing.assert_allclose(two_sided_p(sample.mean(axis=0), error, 3), stats.ttest_1samp(sample, 0).pvalue)
    z = np.array([-1.959964, 0.0, 2.575829])
    np.testing.assert_allclose(two_sided_p(z, np.ones(3), np.inf), [0.05, 1, 0.01], rtol=1e-6)


def test_one_degree_of_freedom_is_enough_and_less_is_not() -> None:
    # Student's t with one degree of freedom is Cauchy's law.
    np.testing.assert_allclose(two_sided_p(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 1), [0.5, 1])
    assert np.isnan(two_sided_p(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 0.99)).all()


def test_p_of_what_is_not_known_is_null() -> None:
    estimates, errors = np.array([0.0, 1.0, np.nan, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, np.nan, 1.0])
    p = two_sided_p(estimates, errors, np.array([3, 3, 3, 3, 0]))
    np.testing.assert_array_equal(p, [1, np.nan, np.nan, np.nan, np.nan])
    with pytest.raises(AttributionError, match=r"standard error is -1\.0"):
        two_sided_p(np.ones(1), -np.ones(1), 3)


def _rates_of_bh(per_bin: int, df: float) -> tuple[float, float, float]:
    """Return the share of bins with q <= .05 and the interval of the worlds that have one.

    400 worlds of 576 bins x 4 benchmarks without effect.
    """
    rng = np.random.default_rng(per_bin)
    bins = np.repeat(np.arange(576), per_bin)
    shares = []
    for _ in range(400):
        moments = bin_moments(rng.normal(size=(len(bins), 4)), bins, 576)
        q = q_values(two_sided_p(moments.means, np.sqrt(moments.spread / per_bin), df))
        shares.append((q <= 0.05).mean())
    return float(np.mean(shares)), *_interval(int(np.count_nonzero(shares)), 400)


@pytest.mark.parametrize("per_bin", [3, 12])
def test_with_no_effect_q_calls_nothing_in_nineteen_worlds_of_twenty(per_bin: int) -> None:
    share, low, high = _rates_of_bh(per_bin, per_bin - 1)
    assert share < 1e-3  # far under the .05 that the level allows
    assert low <= 0.05
    assert high < 0.11  # 400 worlds: a rate of .05 has an upper bound of .086


def test_a_normal_law_for_bins_of_three_documents_calls_bins_in_every_world() -> None:
    _, low, _ = _rates_of_bh(3, np.inf)
    assert low > 0.9
