"""Correlations with one bin left out: those of scipy over the others, and one planted bin is found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from social_provenance.estimation.comparison.leave_one_out import LEAVE_ONE_BIN_OUT, correlations_without, extreme_bin
from social_provenance.regions.grid import BINS


def values(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(3.0, 1e-3, size=len(BINS))


def test_each_is_the_correlation_of_the_others() -> None:
    one, other = values(0), values(0) + values(1)
    one[::7], other[::5] = np.nan, np.nan
    there = np.isfinite(one) & np.isfinite(other)
    found = correlations_without(one, other)
    assert (np.isfinite(found) == there).all()
    for place in np.flatnonzero(there)[:40]:
        rest = there.copy()
        rest[place] = False
        assert found[place] == pytest.approx(stats.pearsonr(one[rest], other[rest]).statistic)


def test_it_does_not_matter_which_comes_first_nor_in_which_unit() -> None:
    one, other = values(0), values(0) + values(1)
    np.testing.assert_allclose(correlations_without(other, one), correlations_without(one, other))
    np.testing.assert_allclose(correlations_without(5 * one - 2, other), correlations_without(one, other))


def test_the_bin_that_carries_a_correlation_is_found() -> None:
    one, other = values(0), values(1)
    one[300], other[300] = 4.0, 4.0  # a thousand standard deviations out in both
    found = extreme_bin(one.reshape(24, 24), other.reshape(24, 24))
    assert (found["extreme_topic"], found["extreme_format"]) == BINS[300]
    assert abs(found["without_extreme"]) < 0.15
    assert found["leave_one_bin_out_min"] == found["without_extreme"]
    assert found["leave_one_bin_out_max"] > 0.99


def test_permuting_the_bins_permutes_the_result() -> None:
    one, other, order = values(0), values(1), np.random.default_rng(2).permutation(len(BINS))
    np.testing.assert_allclose(correlations_without(one[order], other[order]), correlations_without(one, other)[order])


@pytest.mark.parametrize("there", [0, 2])
def test_too_few_bins_have_no_correlation_without_one(there: int) -> None:
    one = np.full(len(BINS), np.nan)
    one[:there] = range(there)
    assert extreme_bin(one, values(0)) == dict.fromkeys(LEAVE_ONE_BIN_OUT)


def test_a_map_that_is_constant_without_a_bin_has_none_there() -> None:
    flat = np.zeros(len(BINS))
    assert extreme_bin(flat, values(0)) == dict.fromkeys(LEAVE_ONE_BIN_OUT)
    flat[7] = 1.0
    found = correlations_without(flat, values(0))
    assert np.flatnonzero(np.isnan(found)).tolist() == [7]
