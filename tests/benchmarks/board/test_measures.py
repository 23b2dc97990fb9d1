"""Measures of a map: each is largest for the map that is true, and depends on nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from board import measures

TOPICS = [f"t{number:02d}" for number in range(12)]
ROLES = ["planted"] * 2 + ["decoy"] * 4 + ["other"] * 6


def map_of(values: np.ndarray, benchmark: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"benchmark": benchmark, "topic": TOPICS, "value": values, "role": ROLES})


def value(table: pd.DataFrame, measure: str) -> float:
    (found,) = table.loc[table["measure"] == measure, "value"]
    return float(found)


def retrained(true: np.ndarray, noise: float, halves: int = 8, seeds: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return effects and plan of retrainings whose effects add up over topics."""
    rng = np.random.default_rng(0)
    arms = {topic: ("topic", [topic]) for topic in TOPICS}
    arms |= {f"half-{k:02d}": ("half", sorted(rng.choice(TOPICS, 6, replace=False))) for k in range(halves)}
    worth = dict(zip(TOPICS, true, strict=True))
    effects, plan = [], []
    for arm, (design, topics) in arms.items():
        for seed in range(seeds):
            effect = -sum(worth[topic] for topic in topics) + noise * rng.normal()
            effects.append({"arm": arm, "design": design, "benchmark": "a", "seed": seed, "effect": effect})
            plan += [{"arm": arm, "design": design, "topic": topic, "seed": seed} for topic in topics]
    return pd.DataFrame(effects), pd.DataFrame(plan)


@pytest.mark.parametrize(
    ("positive", "negative", "expected"), [([2, 3], [0, 1], 1), ([0], [1], 0), ([1], [1], 0.5), ([1, 0], [0.5], 0.5)]
)
def test_area_of_known_values(positive: list[float], negative: list[float], expected: float) -> None:
    assert measures.area(np.array(positive), np.array(negative)) == expected


def test_area_of_an_empty_side_is_missing() -> None:
    assert np.isnan(measures.area(np.array([]), np.array([1.0])))


def test_a_true_map_separates_planted_topics_and_puts_decoys_below() -> None:
    found = measures.measure_truth(map_of(np.array([2, 2, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0])))
    assert [value(found, name) for name in ("topic_auc", "decoy_auc", "sign")] == [1, 1, 1]


def test_words_tie_planted_topics_with_decoys() -> None:
    found = measures.measure_truth(map_of(np.array([2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0])))
    assert value(found, "decoy_auc") == 0.5
    assert value(found, "topic_auc") == pytest.approx(0.5 * 4 / 10 + 6 / 10)
    assert value(found, "sign") == 0


def test_without_decoys_their_measures_are_missing() -> None:
    topics = map_of(np.arange(12.0)).replace({"decoy": "other"})
    found = measures.measure_truth(topics)
    assert np.isnan([value(found, name) for name in ("decoy_auc", "sign")]).all()
    assert np.isfinite(value(found, "topic_auc"))


def test_the_true_map_predicts_halves_and_single_topics_and_its_negative_reverses_them() -> None:
    true = np.array([3, 2, -1, -1, -1, -2, 0.5, 0.2, 0.1, 0, 0, 0])
    effects, plan = retrained(true, noise=0)
    for sign in (1, -1):
        topics = map_of(sign * true)
        found = pd.concat([measures.measure_halves(topics, effects, plan), measures.measure_singles(topics, effects)])
        for name in ("lds_value", "lds_rank", "lds_single", "lds_single_decoy", "lds_single_other"):
            assert value(found, name) == pytest.approx(sign), name


def test_scale_and_offset_of_a_map_change_no_score() -> None:
    true = np.linspace(-1, 2, 12)
    effects, plan = retrained(true, noise=0.5)
    noisy = true + np.sin(np.arange(12))
    one, other = (measures.measure_halves(map_of(values), effects, plan) for values in (noisy, 5 * noisy + 3))
    pd.testing.assert_frame_equal(one, other)


def test_noise_lowers_the_ceiling() -> None:
    true = np.linspace(-1, 2, 12)
    ceilings = [
        value(measures.measure_halves(map_of(true), *retrained(true, noise)), "ceiling_value") for noise in (0, 1, 8)
    ]
    assert ceilings[0] == pytest.approx(1)
    assert ceilings[0] > ceilings[1] > ceilings[2]


def test_a_role_with_few_topics_has_no_correlation() -> None:
    effects, _ = retrained(np.linspace(0, 1, 12), noise=0)
    assert np.isnan(value(measures.measure_singles(map_of(np.arange(12.0)), effects), "lds_single_planted"))


def test_top_topics_do_not_depend_on_order() -> None:
    topics = pd.concat([map_of(np.arange(12.0)), map_of(-np.arange(12.0), "b")])
    expected = {"a": ("t10", "t11"), "b": ("t00", "t01")}
    assert measures.top_topics(topics, 2) == expected
    assert measures.top_topics(topics.sample(frac=1, random_state=1), 2) == expected


def test_removal_is_the_rise_of_the_loss_of_the_own_benchmark() -> None:
    rows = [("x", "a", 0, -2.0), ("x", "a", 1, -1.0), ("x", "b", 0, -9.0), ("y", "b", 0, 0.5)]
    effects = pd.DataFrame(rows, columns=["arm", "benchmark", "seed", "effect"])
    found = measures.measure_removal({"a": "x", "b": "y"}, effects)
    assert found["value"].tolist() == [1.5, -0.5]


def test_rank_of_own_documents_is_among_those_of_the_same_author() -> None:
    authors = [0, 0, 0, 1, 1]
    scores = np.array([[5, 1], [3, 1], [1, 1], [9, 9], [0, 9]], float)
    assert measures.own_ranks(scores, authors, [0, 3]).tolist() == [1, 0.5]
    assert measures.own_ranks(scores, authors, [1, 4]).tolist() == [0.5, 0.5]
    assert measures.own_ranks(-scores, authors, [0, 3]).tolist() == [0, 0.5]


def test_an_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    intervals = [measures.interval(rng.normal(3, 2, 4).tolist()) for _ in range(2000)]
    covered = np.mean([own["low"] <= 3 <= own["high"] for own in intervals])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_one_value_has_no_interval_and_missing_values_do_not_count() -> None:
    assert measures.interval([2.0, float("nan")])["n"] == 1
    assert np.isnan(measures.interval([2.0])["low"])
    assert measures.interval([])["n"] == 0


def test_worlds_are_the_units_of_the_overall_interval() -> None:
    rows = [
        ("m", world, seed, benchmark, "topic_auc", base + 0.1 * seed + 0.01 * number)
        for world, base in (("w1", 0.5), ("w2", 0.7))
        for seed in (0, 1)
        for number, benchmark in enumerate("ab")
    ]
    measured = pd.DataFrame(rows, columns=["method", "world", "seed", "benchmark", "measure", "value"])
    found = measures.summarise(measured).set_index("world")
    assert found["n"].to_dict() == {"w1": 2, "w2": 2, "all": 2}
    assert found.loc["all", "mean"] == pytest.approx(0.655)
    assert found.loc["all", "high"] - found.loc["all", "low"] > found.loc["w1", "high"] - found.loc["w1", "low"]
    alone = measures.summarise(measured[measured["world"] == "w1"]).set_index("world")
    assert alone.loc["all", "low"] == alone.loc["w1", "low"]
