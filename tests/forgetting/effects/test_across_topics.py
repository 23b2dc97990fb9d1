"""The topic is the unit: runs and sets of a topic do not add to the number of observations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from social_provenance.forgetting.effects.across_topics import across_topics, mixed_model, rank_test, topic_test

KEY = {"scope": "topic", "algorithm": "ngdiff", "outcome": "choice_logprob", "reading": "equal_compute"}


def study(topics: int, sets: int, spread: float = 0.1, benchmarks: tuple[str, ...] = ("a",)) -> list[pd.DataFrame]:
    """Return effects and sets of topics whose targeted set hurts by .3 more, topics differing by ``spread``."""
    rng = np.random.default_rng(0)
    effects, all_sets = [], []
    for benchmark, place in product(benchmarks, range(topics)):
        named = {**KEY, "benchmark": benchmark, "topic": f"topic{place}"}
        random, targeted = rng.normal(0, 0.05, sets), -0.3 + spread * rng.normal()
        difference = targeted - random.mean()
        p = (1 + (random <= targeted).sum()) / (sets + 1)
        effects.append(
            {**named, "influence_minus_random": difference, "p": p, "n_random": sets, "did": None, "did_p": None}
        )
        for arm, values in (("influence_in_topic", [targeted]), ("random_in_topic", random)):
            for number, change in enumerate(values):
                all_sets.append({**named, "measured": benchmark, "arm": arm, "set": number, "change": change})
                all_sets.append({**named, "measured": "other", "arm": arm, "set": number, "change": 99.0})
    return [pd.DataFrame(effects), pd.DataFrame(all_sets)]


def test_the_mean_has_the_t_interval_of_scipy() -> None:
    effects = np.random.default_rng(0).normal(-0.2, 0.1, 12)
    found = topic_test(effects)
    low, high = stats.t.interval(0.95, 11, effects.mean(), stats.sem(effects))
    assert (found["mean"], found["ci_low"], found["ci_high"]) == pytest.approx((effects.mean(), low, high))
    assert found["wilcoxon_p"] == pytest.approx(stats.wilcoxon(effects, alternative="less", method="exact").pvalue)


@pytest.mark.parametrize("count", [1, 2, 4, 10])
def test_topics_that_all_agree_reach_the_smallest_p_and_no_more(count: int) -> None:
    found = topic_test(-np.arange(1.0, count + 1))
    assert found["wilcoxon_p"] == pytest.approx(found["smallest_p"]) == 0.5**count
    assert topic_test(np.arange(1.0, count + 1))["wilcoxon_p"] == 1


def test_one_topic_has_no_interval_and_topics_without_effect_p_of_1() -> None:
    assert topic_test(np.array([-0.2]))["ci_low"] is None
    nothing = topic_test(np.zeros(6))
    assert (nothing["mean"], nothing["ci_low"], nothing["ci_high"], nothing["wilcoxon_p"]) == (0, 0, 0, 1)


def test_ties_are_no_error() -> None:
    assert topic_test(np.array([-0.2, -0.2, -0.2, 0.0, 0.1]))["wilcoxon_p"] < 0.5


def test_sum_of_ranks_is_exact_against_all_outcomes() -> None:
    sets = np.array([2, 3, 1])
    outcomes = np.array([sum(ranks) for ranks in product(*(range(1, count + 2) for count in sets))])
    for ranks in ((1, 1, 1), (2, 1, 1), (3, 4, 2), (2, 3, 1)):
        found = rank_test(np.array(ranks) / (sets + 1), sets)
        assert found["rank_p"] == pytest.approx((outcomes <= sum(ranks)).mean())
        assert found["smallest_rank_p"] == pytest.approx(1 / 24)


def test_sum_of_ranks_of_exchangeable_sets_is_called_as_often_as_said() -> None:
    rng = np.random.default_rng(0)
    p = [rank_test(rng.integers(1, 7, 4) / 6, np.full(4, 5))["rank_p"] for _ in range(3000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / 3000) ** 0.5
    assert np.mean(np.array(p) <= 0.1) > 0.05


def test_a_balanced_mixed_model_has_the_mean_and_the_error_of_topic_means() -> None:
    effects, sets = study(topics=12, sets=5)
    row = across_topics(effects, sets).iloc[0]
    topics = effects["influence_minus_random"]
    assert row["mixed_mean"] == pytest.approx(topics.mean(), rel=1e-4)
    half = stats.norm.ppf(0.975) * stats.sem(topics)
    assert row["mixed_high"] - row["mixed_mean"] == pytest.approx(half, rel=0.02)
    error = (row["mixed_high"] - row["mixed_low"]) / (2 * stats.norm.ppf(0.975))
    assert row["mixed_p"] == pytest.approx(2 * stats.norm.sf(-row["mixed_mean"] / error))
    assert row["ci_high"] > row["mixed_high"]  # t with 11 degrees of freedom is wider than the normal law
    assert row["mixed_reason"] is None


def test_more_sets_do_not_make_more_topics() -> None:
    widths = []
    for sets in (5, 50):
        row = across_topics(*study(topics=12, sets=sets)).iloc[0]
        assert row["n_topics"] == 12
        widths.append(row["mixed_high"] - row["mixed_low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.6)  # the root of 10 if sets counted as observations


def test_what_a_set_does_to_all_benchmarks_is_not_in_the_specific_measure() -> None:
    """Twelve topics whose sets change every benchmark at random, and the own one by the study's differences besides."""
    effects, sets = study(topics=12, sets=5)
    run = ["topic", "arm", "set"]
    common = sets[run].drop_duplicates().assign(common=lambda table: np.random.default_rng(1).normal(size=len(table)))
    aligned = sets["measured"] == sets["benchmark"]
    moved = sets.merge(common, on=run, how="left")
    moved["change"] = moved["common"] + sets["change"].where(aligned, 0.0).to_numpy()
    specific = effects.assign(did=effects["influence_minus_random"], did_p=effects["p"])
    table = across_topics(specific, moved).set_index("measure")
    plain = across_topics(effects, sets).set_index("measure").loc["influence_minus_random"]
    pd.testing.assert_series_equal(table.loc["did"], plain, check_names=False)
    assert table.index.tolist() == ["did", "influence_minus_random"]
    assert table["mixed_mean"]["influence_minus_random"] != pytest.approx(plain["mixed_mean"], rel=1e-3)


def test_each_benchmark_has_a_row_and_all_together_one() -> None:
    table = across_topics(*study(topics=3, sets=4, benchmarks=("a", "b")))
    assert table["benchmark"].tolist()[:2] == ["a", "b"]
    assert pd.isna(table["benchmark"][2])
    assert table["n_topics"].tolist() == [3, 3, 6]
    assert table["mixed_reason"][0] == "3 topics, a variance between topics takes 5"
    assert table["mixed_mean"].notna().tolist() == [False, False, True]
    assert table["mean"][2] == pytest.approx(table["mean"][:2].mean())


def test_global_contrasts_and_those_without_an_estimate_are_not_topics() -> None:
    effects, sets = study(topics=4, sets=3)
    more = pd.DataFrame(
        [
            {**effects.iloc[0], "topic": None, "scope": "global"},
            {**effects.iloc[0], "topic": "lost", "influence_minus_random": None},
        ]
    )
    both = pd.concat([effects, more.astype(effects.dtypes)], ignore_index=True)
    assert across_topics(both, sets)["n_topics"].tolist() == [4]
    assert across_topics(effects.iloc[:0], sets).empty


def test_a_model_that_says_nothing_new_has_a_reason() -> None:
    frame = pd.DataFrame({"benchmark": "a", "topic": [f"t{place}" for place in range(6)], "difference": range(6)})
    assert mixed_model(frame)["mixed_reason"] == "one random set a topic: the t interval is the same"
    same = pd.concat([frame, frame]).assign(difference=0.5)
    assert mixed_model(same)["mixed_reason"] == "all differences are the same"
