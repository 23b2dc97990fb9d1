"""Separation by hand: ties, nothing planted, everything planted, regions without a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from social_provenance.miniature.recovery import (
    area,
    areas_of_topics,
    measure_calls,
    measure_decoys,
    measure_separation,
    measure_validation,
)


def judge(values: list[float], planted: list[int]) -> dict[str, float]:
    return measure_separation(np.array(values, float), np.array(planted, bool))


def test_a_perfect_map() -> None:
    found = judge([4, 3, 2, 1], [1, 1, 0, 0])
    assert (found["auc"], found["precision_at_k"]) == (1, 1)
    assert found["rank_correlation"] == pytest.approx(2 / np.sqrt(5))
    assert (found["n_regions"], found["n_planted"]) == (4, 2)


def test_an_inverted_map() -> None:
    found = judge([1, 2, 3, 4], [1, 1, 0, 0])
    assert (found["auc"], found["precision_at_k"]) == (0, 0)


def test_ties_count_by_half() -> None:
    # Of the two places at the top one is sure (a planted one), one falls to one of the tied, planted by half.
    found = judge([3, 2, 2, 1], [1, 1, 0, 0])
    assert found["auc"] == 7 / 8
    assert found["precision_at_k"] == 3 / 4


def test_a_constant_map_is_chance() -> None:
    found = judge([5, 5, 5, 5], [1, 0, 0, 0])
    assert (found["auc"], found["precision_at_k"]) == (0.5, 0.25)
    assert np.isnan(found["rank_correlation"])


@pytest.mark.parametrize("planted", [[0, 0, 0], [1, 1, 1]])
def test_nothing_or_everything_planted_has_no_figures(planted: list[int]) -> None:
    found = judge([1, 2, 3], planted)
    assert found["n_planted"] == sum(planted)
    assert np.isnan([found["auc"], found["precision_at_k"], found["rank_correlation"]]).all()


def test_regions_without_a_value_do_not_count() -> None:
    assert judge([np.nan, 4, 3, np.nan, 1], [1, 1, 0, 0, 0]) == judge([4, 3, 1], [1, 0, 0])


def test_it_agrees_with_sklearn_and_scipy() -> None:
    rng = np.random.default_rng(0)
    values, planted = rng.integers(0, 20, 200).astype(float), rng.random(200) < 0.2
    found = measure_separation(values, planted)
    assert found["auc"] == pytest.approx(roc_auc_score(planted, values))
    assert found["rank_correlation"] == pytest.approx(spearmanr(values, planted).statistic)


def test_a_region_is_called_by_its_lower_bound() -> None:
    low = np.array([0.1, -0.1, 0.2, 0.0, np.nan])
    planted = np.array([True, True, False, False, False])
    assert measure_calls(low, planted) == {"power": 0.5, "false_positive_rate": 0.5}
    assert np.isnan(measure_calls(low, np.zeros(5, bool))["power"])


def test_topics_and_their_bins_are_measured_by_method_and_benchmark() -> None:
    truth = pd.DataFrame(
        {"topic": ["games", "games", "health"], "planted": ["quiz", "quiz", None], "decoy": [None, None, "riddle"]}
    ).assign(twin=None)
    shared = {"method": "m", "benchmark": ["quiz", "quiz", "riddle", "riddle"], "topic": ["games", "health"] * 2}
    topics = pd.DataFrame({**shared, "z": [1.0, -1, 1, -1], "ci_low": [0.5, -2, 0.5, -2]})
    bins = pd.concat([topics.assign(format=form) for form in ("faq", "about_org")]).assign(
        z=[1.0, -1, 1, -1, -3, 1, 1, 1]
    )
    table = measure_validation(topics, bins, truth).set_index(["level", "benchmark"])
    assert table.loc[("topic", "quiz"), "auc"] == 1
    assert table.loc[("topic", "quiz"), ["power", "false_positive_rate"]].tolist() == [1, 0]
    assert table.loc[("bin", "quiz"), "auc"] == 3 / 8
    assert np.isnan(table.loc[("topic", "riddle"), "auc"])
    assert table.loc[("topic", "riddle"), "false_positive_rate"] == 0.5
    assert table.loc[("topic", "riddle"), ["n_decoys", "decoy_call_rate", "decoy_z"]].tolist() == [1, 0, -1]
    assert table.loc[("topic", "quiz"), "n_decoys"] == 0


def test_decoys_that_are_called_or_not() -> None:
    role = np.array(["planted", "decoy", "decoy", "other", "other"])
    found = measure_decoys(np.array([2.0, 3, 1, 0, np.nan]), np.array([1.0, 1, -1, 2, 2]), role)
    assert found == {
        "n_decoys": 2,
        "decoy_auc": 0.5,
        "twin_auc": pytest.approx(np.nan, nan_ok=True),
        "decoy_call_rate": 0.5,
        "planted_z": 2,
        "decoy_z": 2,
        "twin_z": pytest.approx(np.nan, nan_ok=True),
        "other_z": 0,
    }


def test_no_decoys_no_figures() -> None:
    found = measure_decoys(np.array([1.0, 0]), np.array([1.0, 0]), np.array(["planted", "other"]))
    assert found["n_decoys"] == 0
    assert np.isnan([found["decoy_auc"], found["decoy_call_rate"], found["decoy_z"]]).all()


def test_twins_are_compared_with_the_planted_alone() -> None:
    z, role = np.array([1.0, 0.5, 9.0, 0.0]), np.array(["planted", "twin", "decoy", "other"])
    areas = areas_of_topics(z, role)
    assert areas == {"topic_auc": 0.5, "decoy_auc": 0, "twin_auc": 1}
    found = measure_decoys(z, z, role)
    assert {name: found[name] for name in ("decoy_auc", "twin_auc", "twin_z")} == {
        "decoy_auc": 0,
        "twin_auc": 1,
        "twin_z": 0.5,
    }


def test_an_area_is_that_of_sklearn_over_the_two_sides_alone() -> None:
    rng = np.random.default_rng(1)
    values, side = rng.integers(0, 9, 90).astype(float), rng.integers(0, 3, 90)
    kept = side < 2
    assert area(values, side == 1, side == 0) == pytest.approx(roc_auc_score(side[kept], values[kept]))
    assert area(-values, side == 1, side == 0) == pytest.approx(1 - area(values, side == 1, side == 0))
    assert np.isnan(area(values, side == 9, side == 0))
