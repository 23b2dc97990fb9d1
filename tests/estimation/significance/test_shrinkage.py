"""Zero variance changes nothing, infinite variance leaves the target, and nothing goes past it."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.shrinkage import between_by_moments, shrink

SHAPE = (24, 24, 2)


def _draw(seed: int = 0, tau: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, means and variances; a tenth of the bins is missing."""
    rng = np.random.default_rng(seed)
    truth = 3 + tau * rng.normal(size=SHAPE)
    variances = rng.uniform(0.2, 4, size=SHAPE)
    means = truth + np.sqrt(variances) * rng.normal(size=SHAPE)
    means[rng.random(SHAPE) < 0.1] = np.nan
    return truth, means, variances


def test_a_bin_lies_between_its_mean_and_its_target_and_missing_bins_stay_so() -> None:
    _, means, variances = _draw()
    found = shrink(means, variances)
    there = np.isfinite(means)
    low, high = np.minimum(means, found.target)[there], np.maximum(means, found.target)[there]
    assert ((found.values[there] >= low - 1e-12) & (found.values[there] <= high + 1e-12)).all()
    assert (np.abs(found.values - means)[there] > 1e-6).mean() > 0.99
    for array in (found.values, found.errors, found.factors):
        np.testing.assert_array_equal(np.isnan(array), ~there)
    assert ((found.factors[there] > 0) & (found.factors[there] < 1)).all()


def test_zero_variance_is_identity() -> None:
    _, means, _ = _draw()
    np.testing.assert_array_equal(shrink(means, np.zeros(SHAPE)).values, means)


def test_a_bin_of_zero_variance_among_others_stays_and_one_of_unknown_variance_becomes_the_mean() -> None:
    _, means, variances = _draw()
    means[:2, 0] = 9.0
    variances[0, 0], variances[1, 0], variances[1, 0, 1] = 0.0, np.inf, np.nan
    found = shrink(means, variances)
    np.testing.assert_array_equal(found.values[0, 0], [9, 9])
    np.testing.assert_allclose(found.values[1, 0], found.target)
    assert (found.target < 4).all()  # a bin of which nothing is known does not draw the mean


def test_infinite_variance_everywhere_is_the_mean() -> None:
    _, means, _ = _draw()
    found = shrink(means, np.full(SHAPE, np.inf))
    plain = np.broadcast_to(np.nanmean(means, axis=(0, 1)), SHAPE)
    np.testing.assert_allclose(found.values, np.where(np.isnan(means), np.nan, plain))


def test_the_unit_of_scores_and_the_order_of_bins_do_not_matter() -> None:
    _, means, variances = _draw()
    plain = shrink(means, variances)
    scaled = shrink(1e-6 * means + 5, 1e-12 * variances)
    np.testing.assert_allclose(scaled.values, 1e-6 * plain.values + 5, rtol=1e-9)
    np.testing.assert_allclose(scaled.errors, 1e-6 * plain.errors, rtol=1e-4)
    order = np.random.default_rng(1).permutation(24)
    np.testing.assert_allclose(shrink(means[order], variances[order]).values, plain.values[order], rtol=1e-9)


def test_one_step_from_weights_of_precision_is_dersimonian_and_lairds() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    _, means, variances = _draw(2)
    filled = np.isfinite(means[..., 0])
    y, v = means[..., 0][filled], variances[..., 0][filled]
    known = combine_effects(y, v, method_re="dl")
    assert between_by_moments(y, v, 1 / v) == pytest.approx(known.tau2, rel=1e-9)


def test_the_variance_between_is_found() -> None:
    found = [shrink(*_draw(seed)[1:]).between for seed in range(20)]
    assert np.mean(found) == pytest.approx(1, abs=0.1)


def test_variances_from_few_documents_mislead_weights_and_not_the_unweighted_sum() -> None:
    """Bins of 8 documents: v is 1/8, tau2 is 0.04; with weights 1 / v tau2 is too large."""
    unweighted, weighted = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        documents = 0.2 * rng.normal(size=(24, 24, 1, 1)) + rng.normal(size=(24, 24, 1, 8))
        means, variances = documents.mean(axis=3), documents.var(axis=3, ddof=1) / 8
        unweighted.append(shrink(means, variances).between)
        weighted.append(between_by_moments(means.ravel(), variances.ravel(), 1 / variances.ravel()))
    assert np.mean(unweighted) == pytest.approx(0.04, abs=0.005)
    assert np.mean(weighted) > 0.05


def test_shrunk_bins_are_nearer_to_the_truth_and_their_errors_are_what_they_say() -> None:
    truth, means, variances = _draw(3)
    found = shrink(means, variances)
    there = np.isfinite(means)
    miss = (found.values - truth)[there]
    assert np.mean(miss**2) < 0.6 * np.mean((means - truth)[there] ** 2)
    assert np.mean((miss / found.errors[there]) ** 2) == pytest.approx(1, abs=0.15)


def test_bins_that_differ_by_chance_alone_become_one_value() -> None:
    rng = np.random.default_rng(5)
    means = np.where(rng.random(SHAPE) < 0.5, 0.9, 1.1)  # closer together than errors of 1 ever are
    found = shrink(means, np.ones(SHAPE))
    assert (found.between == 0).all()
    np.testing.assert_allclose(found.values, np.broadcast_to(found.target, SHAPE))


def test_a_bin_that_is_known_exactly_stays_also_where_bins_differ_by_chance_alone() -> None:
    means, variances = np.ones(SHAPE), np.ones(SHAPE)
    means[0, 0], means[0, 1], variances[0, 0] = 1.1, 0.9, 0.0
    found = shrink(means, variances)
    assert (found.between == 0).all()
    np.testing.assert_array_equal(found.values[0, 0], 1.1)
    assert np.isfinite(found.values).all()


def test_what_has_no_meaning_is_refused() -> None:
    _, means, variances = _draw()
    with pytest.raises(AttributionError, match=r"variances\[\(0, 0, 0\)\] is -"):
        shrink(means, -variances)
    with pytest.raises(AttributionError, match=r"shape \(24, 24\)"):
        shrink(means[..., 0], variances)
    with pytest.raises(AttributionError, match="no bin with a value"):
        shrink(means * np.nan, variances)
