"""Readings are exact on trajectories that are linear, and none is made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.readings import Reading, Readings, crossing, take_readings, trapezoid
from social_provenance.forgetting.vocabulary import AREA, EQUAL_COMPUTE

GRID = np.array([0, 3, 6, 12])
SETTINGS = EffectSettings(forget_rises=(0.1, 0.4), heldout_rises=(0.01,))


def _trajectory(**slopes: float) -> pd.DataFrame:
    """Return runs whose forget loss rises by ``slope`` over 12 steps, and held-out loss by a tenth of it."""
    rows = [
        {"run_id": name, "step": step, "forget_loss": 2 + slope * step / 12, "heldout_loss": 1 + slope * step / 120}
        for name, slope in slopes.items()
        for step in GRID
    ]
    return pd.DataFrame(rows)


def _named(readings: Readings) -> dict[str, Reading]:
    return {reading.name: reading for reading in readings.each}


@pytest.mark.parametrize("level", [0.01, 0.05, 0.125, 0.3, 0.5])
def test_interpolation_is_exact_where_everything_is_linear(level: float) -> None:
    weights = crossing(GRID * 0.5 / 12, level)
    assert weights.sum() == pytest.approx(1)
    assert weights @ (GRID * 7.0) == pytest.approx(7 * level * 24)  # the step at which the loss has risen so far


def test_the_first_crossing_counts_although_the_loss_falls_again() -> None:
    np.testing.assert_allclose(crossing(np.array([0, 0.2, 0.0, 0.4]), 0.1), [0.5, 0.5, 0, 0])


def test_a_level_that_is_not_reached_has_no_reading() -> None:
    assert np.isnan(crossing(np.array([0, 0.1, 0.2, 0.3]), 0.31)).all()
    assert np.isnan(crossing(np.array([0, -0.1, np.nan, np.nan]), 0.1)).all()


def test_steps_that_were_not_read_are_passed_over() -> None:
    np.testing.assert_allclose(crossing(np.array([0, np.nan, 0.2, 0.4]), 0.1), [0.5, 0, 0.5, 0])


def test_area_of_a_line_is_half_its_end_and_of_a_constant_the_constant() -> None:
    weights = trapezoid(GRID, np.ones(4, dtype=bool), 12)
    assert weights @ (5.0 * GRID) == pytest.approx(30)
    assert weights.sum() == pytest.approx(1)
    shorter = trapezoid(GRID, np.array([True, False, True, True]), 6)
    assert shorter @ (5.0 * GRID) == pytest.approx(15)


def test_all_runs_are_read_at_the_last_step_that_all_reached() -> None:
    table = _trajectory(a=0.5, b=0.5)
    stopped = table[(table["run_id"] == "a") | (table["step"] <= 6)]
    taken = take_readings(stopped, ["b", "a"], SETTINGS)
    at = _named(taken)
    assert at[EQUAL_COMPUTE].step == at[AREA].step == 6
    np.testing.assert_array_equal(at[EQUAL_COMPUTE].weights, [[0, 0, 1, 0]] * 2)
    np.testing.assert_array_equal(taken.reached, [[True, True, True, False], [True] * 4])
    assert at["forget_loss+0.4"].is_known().tolist() == [False, True]  # b stopped at a rise of .25
    assert at["forget_loss+0.1"].step is None


def test_every_dose_is_a_reading_under_its_name() -> None:
    at = _named(take_readings(_trajectory(a=0.5), ["a"], EffectSettings()))
    assert list(at) == [
        *("equal_compute", "area", "forget_loss+0.05", "forget_loss+0.1", "forget_loss+0.2", "forget_loss+0.4"),
        *("heldout_loss+0.01", "heldout_loss+0.05"),
    ]
    np.testing.assert_allclose(at["heldout_loss+0.01"].weights @ GRID, [2.4])
    np.testing.assert_allclose(at["heldout_loss+0.05"].weights @ GRID, [12])


def test_without_a_common_step_after_0_nothing_is_read_at_equal_compute() -> None:
    table = _trajectory(a=0.5, b=0.5)
    at = _named(take_readings(table[(table["run_id"] == "a") | (table["step"] == 0)], ["a", "b"], SETTINGS))
    assert at[EQUAL_COMPUTE].step is None
    assert not at[EQUAL_COMPUTE].is_known().any()
    assert at["forget_loss+0.1"].is_known().tolist() == [True, False]


def test_without_runs_there_are_the_same_readings_of_nothing() -> None:
    taken = take_readings(_trajectory(a=0.5).iloc[:0], [], SETTINGS)
    assert [reading.name for reading in taken.each] == list(_named(take_readings(_trajectory(a=1), ["a"], SETTINGS)))
    assert all(reading.is_known().shape == (0,) for reading in taken.each)
