"""Agreement of maps: exact on grids worked out by hand, and without regard to unit, order or empty bins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from social_provenance.estimation.agreement import MEASURES, TOP, agreement, compare
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

SHAPE = (len(TOPICS), len(FORMATS))
CORRELATIONS = MEASURES[:4]


def grid(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SHAPE)


@pytest.fixture
def holes() -> np.ndarray:
    """Return where a bin is empty: a quarter of the grid, and a whole topic."""
    empty = np.random.default_rng(9).random(SHAPE) < 0.25
    empty[3] = True
    return empty


def test_a_map_agrees_with_itself_and_its_negative_is_its_opposite() -> None:
    one = grid(0)
    assert agreement(one, one) == pytest.approx({**dict.fromkeys(MEASURES, 1.0), "n_bins": 576})
    opposite = agreement(one, -one)
    assert [opposite[name] for name in CORRELATIONS] == pytest.approx([-1.0] * 4)
    assert opposite["shared_top_bins"] == 0


def test_agreement_has_no_direction() -> None:
    assert agreement(grid(0), grid(1)) == pytest.approx(agreement(grid(1), grid(0)))


def test_the_unit_of_a_map_does_not_matter(holes: np.ndarray) -> None:
    one, other = np.where(holes, np.nan, grid(0)), grid(0) + grid(1)
    assert agreement(3 * one - 7, 0.2 * other + 1) == pytest.approx(agreement(one, other))


def test_ranks_do_not_see_how_far_apart_values_are() -> None:
    one, other = grid(0), grid(0) + grid(1)
    plain, bent = agreement(one, other), agreement(np.exp(one), other)
    assert bent["bin_rank_correlation"] == pytest.approx(plain["bin_rank_correlation"])
    assert bent["shared_top_bins"] == plain["shared_top_bins"]
    assert bent["bin_correlation"] != pytest.approx(plain["bin_correlation"], abs=1e-3)


def test_correlations_are_those_of_scipy_over_the_bins_of_both(holes: np.ndarray) -> None:
    one, other = np.where(holes, np.nan, np.round(grid(0), 1)), np.where(holes.T, np.nan, grid(0) + grid(1))
    there = ~(holes | holes.T)
    assert 0 < there.any(axis=1).sum() < len(TOPICS)
    found = agreement(one, other)
    assert found["bin_correlation"] == pytest.approx(stats.pearsonr(one[there], other[there]).statistic)
    assert found["bin_rank_correlation"] == pytest.approx(stats.spearmanr(one[there], other[there]).statistic)
    topics = [place for place in range(len(TOPICS)) if there[place].any()]
    means = [[values[place][there[place]].mean() for place in topics] for values in (one, other)]
    assert found["topic_correlation"] == pytest.approx(stats.pearsonr(*means).statistic)
    assert found["topic_rank_correlation"] == pytest.approx(stats.spearmanr(*means).statistic)
    assert found["n_bins"] == there.sum()


def test_a_topic_is_the_unweighted_mean_of_its_bins() -> None:
    one = np.full(SHAPE, np.nan)
    one[0, :2], one[1, 0], one[2, :2] = (0, 2), 1.5, (10, -6)  # topic means 1, 1.5, 2
    other = np.full(SHAPE, np.nan)
    other[0, :2], other[1, 0], other[2, :2] = (1, 1), 3, (0, 4)  # 1, 3, 2
    assert agreement(one, other)["topic_rank_correlation"] == pytest.approx(0.5)  # 1 - 6 (0 + 1 + 1) / (3 * 8)
    assert agreement(one, other)["topic_correlation"] == pytest.approx(0.5)  # evenly spaced: as their ranks


def test_the_share_of_the_highest_bins_is_counted() -> None:
    values = np.arange(576.0)
    moved = values.copy()
    moved[[575, 574, 573, 572, 571]] = 100.5  # the next five take their places
    found = agreement(values.reshape(SHAPE), moved.reshape(SHAPE))
    assert found["shared_top_bins"] == (TOP - 5) / TOP


def test_of_few_bins_all_are_highest() -> None:
    one = np.full(SHAPE, np.nan)
    one[:4, 0] = (1, 2, 3, 4)
    assert agreement(one, -one)["shared_top_bins"] == 1
    one[:5, :5] = np.arange(25).reshape(5, 5)
    assert agreement(one, -one)["shared_top_bins"] == 15 / 20  # 20 and 20 of 25


def test_what_does_not_exist_is_no_number() -> None:
    nothing, flat = np.full(SHAPE, np.nan), np.ones(SHAPE)
    found = agreement(nothing, grid(0))
    assert found.pop("n_bins") == 0
    assert all(np.isnan(value) for value in found.values())
    found = agreement(flat, grid(0))
    assert all(np.isnan(found[name]) for name in CORRELATIONS)
    two_bins = nothing.copy()
    two_bins[[0, 1], 0] = (1, 2)
    assert agreement(two_bins, -two_bins)["topic_rank_correlation"] == pytest.approx(-1)
    one_topic = nothing.copy()
    one_topic[0] = np.arange(24)
    found = agreement(one_topic, grid(0))
    assert np.isfinite(found["bin_correlation"])
    assert np.isnan(found["topic_rank_correlation"])


@pytest.fixture
def maps() -> pd.DataFrame:
    """Return maps of two benchmarks by two methods in three forms."""
    bins = pd.DataFrame(BINS, columns=["topic", "format"])
    names = [(b, m, r) for b in ("quiz", "arc") for m in ("trak", "influence") for r in ("long", "cloze", "answer")]
    frames = [
        bins.assign(benchmark=b, method=m, rendering=r, potency=grid(seed).reshape(-1))
        for seed, (b, m, r) in enumerate(names)
    ]
    return pd.concat(frames, ignore_index=True)


def test_every_pair_of_the_same_thing_is_compared_once_in_the_order_of_the_table(maps: pd.DataFrame) -> None:
    table = compare(maps, "rendering", ["benchmark", "method"])
    assert list(table) == ["benchmark", "method", "rendering", "other", *MEASURES]
    assert len(table) == 4 * 3
    first = table.head(3)
    assert set(first["benchmark"] + first["method"]) == {"quiztrak"}
    pairs = list(zip(first["rendering"], first["other"], strict=True))
    assert pairs == [("long", "cloze"), ("long", "answer"), ("cloze", "answer")]
    assert table.iloc[2][list(MEASURES)].to_dict() == pytest.approx(agreement(grid(1), grid(2)))


def test_methods_are_compared_by_the_same_function(maps: pd.DataFrame) -> None:
    own = maps[maps["rendering"] == "cloze"].sample(frac=1, random_state=0)
    table = compare(own, "method", ["benchmark"]).set_index("benchmark")
    assert len(table) == 2
    assert table.loc["quiz", list(MEASURES)].to_dict() == pytest.approx(agreement(grid(1), grid(4)))
    assert table.loc["arc", list(MEASURES)].to_dict() == pytest.approx(agreement(grid(7), grid(10)))


def test_one_map_alone_has_no_pair(maps: pd.DataFrame) -> None:
    table = compare(maps[maps["rendering"] == "cloze"], "rendering", ["benchmark", "method"])
    assert table.empty
    assert list(table) == ["benchmark", "method", "rendering", "other", *MEASURES]
