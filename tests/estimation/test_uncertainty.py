"""Variances add, what is in both sides is counted once, and few clusters widen an interval."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.uncertainty import Uncertainty, interval

REPLICATES = 20_000


def _uncertainty(
    documents: float, queries: float, interaction: float = 0.0, df: float = np.inf, labels: int = 1, columns: int = 1
) -> Uncertainty:
    """Return independent normal deviations of the standard deviations that are given."""
    rng = np.random.default_rng(0)
    shape = (labels, columns)
    return Uncertainty(
        documents=(documents * rng.normal(size=(REPLICATES, *shape))).astype(np.float32),
        queries=(queries * rng.normal(size=(REPLICATES, *shape))).astype(np.float32),
        interaction=np.full(shape, interaction),
        document_df=np.full(shape, float(df)),
        query_df=np.full(shape, float(df)),
    )


def test_variances_add_and_the_interaction_is_counted_once() -> None:
    assert _uncertainty(3, 4).standard_error()[0, 0] == pytest.approx(5, rel=0.02)
    assert _uncertainty(3, 4, interaction=7).standard_error()[0, 0] == pytest.approx(18**0.5, rel=0.02)
    assert _uncertainty(3, 4, interaction=99).standard_error()[0, 0] == pytest.approx(3, rel=0.02)
    assert _uncertainty(3, 4, interaction=7).deviations().std() == pytest.approx(18**0.5, rel=0.02)


def test_a_normal_estimate_has_the_normal_interval() -> None:
    low, high = _uncertainty(3, 4).interval(np.array([[10.0]]), 0.95)
    assert low[0, 0] == pytest.approx(10 - 9.8, abs=0.3)
    assert high[0, 0] == pytest.approx(10 + 9.8, abs=0.3)


def test_few_clusters_widen_an_interval_as_students_t_does() -> None:
    low, high = _uncertainty(1, 0, df=3).interval(np.zeros((1, 1)), 0.95)
    assert (high - low)[0, 0] == pytest.approx(2 * 3.182, rel=0.03)


def test_a_mean_of_many_labels_is_hardly_widened() -> None:
    many = _uncertainty(1, 0, df=3, labels=24)
    low, high = many.over_labels(np.full((1, 24), 1 / 24)).interval(np.zeros((1, 1)), 0.95)
    assert (high - low)[0, 0] == pytest.approx(2 * 1.993 / 24**0.5, rel=0.03)  # t with 72 degrees of freedom


@pytest.mark.parametrize("weights", [[1.0, 0.0], [1.0, 1.0], [2.0, -1.0], [0.1, 0.9]])
def test_degrees_of_freedom_of_a_sum_are_satterthwaites(weights: list[float]) -> None:
    two = _uncertainty(1, 0, df=3, labels=2)
    parts = np.square(weights) * (two.documents[..., 0].astype(float) ** 2).mean(axis=0)
    found = two.over_labels(np.array([weights])).degrees_of_freedom()
    np.testing.assert_allclose(found, parts.sum() ** 2 / (parts**2 / 3).sum(), rtol=1e-3)


def test_sums_over_labels_and_columns_take_the_interaction_by_squares() -> None:
    both = _uncertainty(1, 1, interaction=0.5, labels=2, columns=2)
    np.testing.assert_allclose(both.over_labels(np.array([[0.5, 0.5]])).interaction, 0.25)
    contrast = both.over_columns(np.array([[1.0], [-1.0]]))
    np.testing.assert_allclose(contrast.interaction, 1.0)
    np.testing.assert_allclose(contrast.standard_error(), 3**0.5, rtol=0.03)
    np.testing.assert_allclose(
        contrast.documents[..., 0], both.documents[..., 0] - both.documents[..., 1], rtol=1e-5, atol=1e-5
    )


def test_deviations_from_the_mean_are_centring_weights() -> None:
    one = _uncertainty(1, 2, interaction=0.5, df=3, labels=4)
    filled = np.array([True, True, False, True])
    weights = np.diag(filled.astype(float)) - np.outer(filled, filled) / 3
    fast, plain = one.from_mean(filled), one.over_labels(weights)
    for name in ("documents", "queries", "interaction"):
        np.testing.assert_allclose(getattr(fast, name), getattr(plain, name), atol=1e-5)


def test_scale_scales() -> None:
    plain = _uncertainty(3, 4, interaction=7)
    np.testing.assert_allclose(plain.scaled(np.array([2.0])).standard_error(), 2 * plain.standard_error(), rtol=1e-5)


def test_no_variance_is_an_interval_of_no_width() -> None:
    low, high = _uncertainty(0, 0).interval(np.array([[2.0]]), 0.95)
    assert low[0, 0] == high[0, 0] == 2


def test_percentiles_take_equal_tails_and_stay_empty_where_nothing_was_drawn() -> None:
    replicates = np.stack([np.arange(101.0), np.full(101, np.nan)], axis=1)
    low, high = interval(replicates, confidence=0.9)
    np.testing.assert_allclose([low[0], high[0]], [5, 95])
    assert np.isnan([low[1], high[1]]).all()
