"""Parts sum to the whole, planted effects come back, and noise is known for noise."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.decomposition import PARTS, decompose

T, F = 24, 24
EXACT = np.zeros((T, F))
"""Variances of bins without errors."""


def _plant(rng: np.random.Generator, missing: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    topic, form = rng.normal(size=T), rng.normal(size=F)
    topic, form = topic - topic.mean(), form - form.mean()
    grid = 2 + topic[:, None] + form[None, :]
    grid[rng.random((T, F)) < missing] = np.nan
    return grid, topic, form


def test_planted_effects_come_back_with_bins_missing() -> None:
    grid, topic, form = _plant(np.random.default_rng(0))
    found = decompose(grid, EXACT)
    assert found.grand == pytest.approx(2)
    np.testing.assert_allclose(found.topic, topic, atol=1e-9)
    np.testing.assert_allclose(found.format, form, atol=1e-9)
    np.testing.assert_allclose(found.interaction[np.isfinite(grid)], 0, atol=1e-9)
    assert np.isnan(found.interaction[np.isnan(grid)]).all()
    assert found.shares["interaction"] == pytest.approx(0, abs=1e-9)


def test_the_parts_sum_back_and_so_do_the_shares() -> None:
    rng = np.random.default_rng(1)
    grid = _plant(rng)[0] + rng.normal(size=(T, F))
    variances = rng.uniform(0.1, 2, size=(T, F))
    found = decompose(grid, variances)
    fitted = found.grand + found.topic[:, None] + found.format[None, :]
    np.testing.assert_allclose(fitted + found.interaction, grid, rtol=1e-14)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.shares) == [*PARTS, "noise"]
    assert np.sum(found.topic) == pytest.approx(0)
    assert np.sum(found.format) == pytest.approx(0)


def test_a_full_grid_has_the_effects_of_its_means() -> None:
    grid = np.random.default_rng(2).normal(size=(T, F))
    found = decompose(grid, EXACT)
    assert found.grand == pytest.approx(grid.mean())
    np.testing.assert_allclose(found.topic, grid.mean(axis=1) - grid.mean())
    np.testing.assert_allclose(found.format, grid.mean(axis=0) - grid.mean())
    assert found.shares["topic"] == pytest.approx(F * (found.topic**2).sum() / ((grid - grid.mean()) ** 2).sum())


def test_the_fit_is_that_of_statsmodels() -> None:
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(3)
    grid = _plant(rng)[0] + rng.normal(size=(T, F))
    there = np.isfinite(grid)
    topic, form = there.nonzero()
    table = pd.DataFrame({"y": grid[there], "topic": topic, "format": form})
    known = smf.ols("y ~ C(topic, Sum) + C(format, Sum)", table).fit()
    found = decompose(grid, EXACT)
    assert found.grand == pytest.approx(known.params["Intercept"])
    np.testing.assert_allclose(found.topic[:-1], known.params.iloc[1:T])
    np.testing.assert_allclose(found.format[:-1], known.params.iloc[T:])
    assert 1 - found.shares["interaction"] == pytest.approx(known.rsquared)


def test_permuting_topics_permutes_their_effects_and_turning_the_grid_turns_the_parts() -> None:
    rng = np.random.default_rng(4)
    grid = _plant(rng)[0] + rng.normal(size=(T, F))
    variances, order = rng.uniform(0.1, 1, size=(T, F)), rng.permutation(T)
    plain, mixed, turned = (
        decompose(grid, variances),
        decompose(grid[order], variances[order]),
        decompose(grid.T, variances.T),
    )
    np.testing.assert_allclose(mixed.topic, plain.topic[order])
    assert mixed.shares == pytest.approx(plain.shares)
    np.testing.assert_allclose(turned.format, plain.topic)
    assert turned.shares["format"] == pytest.approx(plain.shares["topic"])


def test_the_share_of_pure_noise_is_noise() -> None:
    """Over 200 maps of noise alone, corrected parts take less than what they wrongly take uncorrected."""
    rng = np.random.default_rng(5)
    variances = rng.uniform(0.2, 3, size=(T, F))
    grids = [np.sqrt(variances) * rng.normal(size=(T, F)) for _ in range(200)]
    uncorrected = [decompose(grid, EXACT).shares["interaction"] for grid in grids]
    assert np.mean(uncorrected) == pytest.approx(1 - 46 / 575, abs=0.01)
    # Clipping at zero leaves the positive half of the chance of each part: at most a few hundredths.
    assert np.mean([decompose(grid, variances).shares["noise"] for grid in grids]) > 0.94


def test_the_corrected_shares_are_those_that_were_planted() -> None:
    rng = np.random.default_rng(6)
    shares = []
    for _ in range(60):
        topic, form, rest = rng.normal(size=(T, 1)), rng.normal(size=(1, F)) * 0.5, rng.normal(size=(T, F)) * 0.7
        truth, variances = topic + form + rest, np.full((T, F), 1.5)
        planted = decompose(truth, EXACT).shares
        noisy = decompose(truth + np.sqrt(1.5) * rng.normal(size=(T, F)), variances).shares
        own = 1 - noisy["noise"]
        shares.append([noisy[part] / own - planted[part] for part in PARTS])
    np.testing.assert_allclose(np.mean(shares, axis=0), 0, atol=0.02)


def test_a_topic_without_bins_has_no_effect_and_a_constant_no_shares() -> None:
    grid = np.full((T, F), 0.1)
    grid[3] = np.nan
    found = decompose(grid, EXACT)
    assert np.isnan(found.topic[3])
    np.testing.assert_allclose(np.delete(found.topic, 3), 0, atol=1e-12)
    assert np.isnan(list(found.shares.values())).all()


def test_what_cannot_be_decomposed_is_refused() -> None:
    grid = np.full((4, 4), np.nan)
    grid[:2, :2], grid[2:, 2:] = 1.0, 2.0
    with pytest.raises(AttributionError, match="the bins fall into 2 groups"):
        decompose(grid, np.zeros((4, 4)))
    with pytest.raises(AttributionError, match="no bin has a value"):
        decompose(np.full((4, 4), np.nan), np.zeros((4, 4)))
    full = np.ones((4, 4))
    with pytest.raises(AttributionError, match=r"variances\[0, 0\] is -1\.0"):
        decompose(full, -full)
    with pytest.raises(AttributionError, match=r"variances\[0, 0\] is nan"):
        decompose(full, full * np.nan)
    with pytest.raises(AttributionError, match=r"variances have the shape \(2, 4\)"):
        decompose(full, full[:2])
