"""Temperature scaling leaves labels alone and makes confidences true; the error is what its formula says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from social_provenance.labelling.calibration import (
    Calibration,
    calibration_error,
    fit_calibration,
    fit_temperature,
    reliability,
    softmax,
)


def draw(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and labels drawn from their softmax at a temperature."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(count, 5))
    steps = softmax(scores, temperature).cumsum(axis=1)
    return scores, (rng.random((count, 1)) > steps).sum(axis=1).clip(max=4)


@pytest.mark.parametrize("temperature", [0.01, 0.3, 1.0, 50.0])
def test_a_temperature_changes_no_label(temperature: float) -> None:
    scores, _ = draw(1.0, 500)
    chances = softmax(scores, temperature)
    assert (chances.argmax(axis=1) == scores.argmax(axis=1)).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_the_temperature_that_labels_came_from_is_found(temperature: float) -> None:
    assert fit_temperature(*draw(temperature)) == pytest.approx(temperature, rel=0.08)


def test_fitting_makes_confidences_true() -> None:
    scores, truth = draw(0.4)

    def error(temperature: float) -> float:
        chances = softmax(scores, temperature)
        return calibration_error(reliability(chances.max(axis=1), chances.argmax(axis=1) == truth, 15))

    assert error(fit_temperature(scores, truth)) < 0.02
    assert error(1.5) > 0.15


def test_a_calibration_without_a_line_is_the_softmax() -> None:
    scores, _ = draw(1.0, 200)
    np.testing.assert_allclose(Calibration(0.3).confidence(scores), softmax(scores, 0.3).max(axis=1))


def test_the_line_mends_what_a_temperature_cannot() -> None:
    scores, truth = draw(0.2)
    noise = np.random.default_rng(1)
    lost = noise.random(len(truth)) < 0.3  # nothing tells these: no temperature makes the sure ones doubtful
    truth = np.where(lost, noise.integers(5, size=len(truth)), truth)
    right = scores.argmax(axis=1) == truth
    fitted = fit_calibration(scores, truth)
    plain = calibration_error(reliability(Calibration(fitted.temperature).confidence(scores), right, 15))
    mended = calibration_error(reliability(fitted.confidence(scores), right, 15))
    assert mended < plain / 1.5
    assert fitted.slope > 0


def test_surer_scores_have_more_confidence() -> None:
    scores, truth = draw(0.4, 500)
    fitted = fit_calibration(scores, truth)
    surer = scores + 0.1 * np.eye(5)[scores.argmax(axis=1)]
    assert (fitted.confidence(surer) > fitted.confidence(scores)).all()


@pytest.mark.parametrize("counts", [((50, 0), (20, 0)), ((6, 0), (3, 0)), ((30, 4), (9, 9)), ((5, 1), (3, 2))], ids=str)
def test_where_two_confidences_are_told_apart_each_is_the_mean_of_platts_targets(
    counts: tuple[tuple[int, int], ...],
) -> None:
    # Documents of two margins, and a line through two points: what is most likely is met at both of them.
    hits, misses = (sum(own[place] for own in counts) for place in (0, 1))
    right, wrong = (hits + 1) / (hits + 2), 1 / (misses + 2)
    margin = np.repeat([2.0, 0.7], [sum(own) for own in counts])
    scores = np.stack([margin, np.zeros_like(margin)], axis=1)
    truth = np.concatenate([np.repeat([0, 1], own) for own in counts])
    confidence = fit_calibration(scores, truth).confidence(scores)
    expected = [(own[0] * right + own[1] * wrong) / sum(own) for own in counts]
    np.testing.assert_allclose(confidence, np.repeat(expected, [sum(own) for own in counts]), atol=1e-3)


def test_without_a_mistake_it_is_sure_but_not_certain() -> None:
    scores, _ = draw(1.0, 50)
    confidence = fit_calibration(scores * 100, scores.argmax(axis=1)).confidence(scores * 100)
    assert (confidence > 0.8).all()
    assert np.isfinite(confidence).all()
    assert (confidence <= 1).all()


def test_scores_shifted_together_have_the_same_softmax() -> None:
    scores, _ = draw(1.0, 50)
    np.testing.assert_allclose(softmax(scores + 700, 0.5), softmax(scores, 0.5))


def test_bins_hold_what_lies_in_them() -> None:
    table = reliability(np.array([0.2, 0.21, 0.4, 1.0]), np.array([True, False, False, True]), 5)
    expected = pd.DataFrame(
        {
            "low": [0.0, 0.2, 0.8],
            "high": [0.2, 0.4, 1.0],
            "confidence": [0.2, 0.305, 1.0],
            "accuracy": [1.0, 0.0, 1.0],
            "n_documents": [1, 2, 1],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
    assert calibration_error(table) == pytest.approx((0.8 + 2 * 0.305 + 0) / 4)
