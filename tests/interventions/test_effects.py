"""Effects are differences under one seed; what is foretold, agreement and its ceiling are known in small cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import CounterfactualError
from social_provenance.interventions.effects import (
    compare_with_retraining,
    measure_retraining,
    predict_effects,
    values_of_topics,
)
from social_provenance.interventions.retraining import LOG

if TYPE_CHECKING:
    from pathlib import Path

TOPICS = ["games", "health", "literature", "politics"]


def training(folder: Path, scores: dict[str, float]) -> Path:
    """Write the log of a training that ends with these scores."""
    folder.mkdir()
    rows = [{"step": step, "benchmark": name, "choice_logprob": value - (step < 9)} for step in (4, 9)
            for name, value in scores.items()]  # fmt: skip
    pd.DataFrame(rows).assign(normalisation="none").to_parquet(folder / LOG)
    return folder


def effects_of(seeds: list[list[float]]) -> pd.DataFrame:
    """Return effects of leaving each topic out on one benchmark, a list for each seed."""
    rows = [
        ("topic", "end", topic, "quiz", seed, value)
        for seed, own in enumerate(seeds)
        for topic, value in zip(TOPICS, own, strict=True)
    ]
    return pd.DataFrame(rows, columns=["design", "outcome", "arm", "benchmark", "seed", "effect"])


def check_of(values: list[float], method: str = "m") -> pd.DataFrame:
    return pd.DataFrame({"method": method, "benchmark": "quiz", "topic": TOPICS, "value": values})


def expected_of(values: list[float], method: str = "m") -> pd.DataFrame:
    return check_of(values, method).rename(columns={"topic": "arm"})


def plan_of(arms: dict[str, list[str]], seeds: tuple[int, ...] = (0, 1)) -> pd.DataFrame:
    rows = [
        {"seed": seed, "arm": arm, "design": "topic" if [arm] == topics else "half", "topic": topic, "steps": 9}
        for seed in seeds
        for arm, topics in arms.items()
        for topic in topics
    ]
    return pd.DataFrame(rows)


def test_an_effect_is_against_the_full_training_with_the_same_seed(tmp_path: Path) -> None:
    full = {f"seed-{i}": training(tmp_path / f"f{i}", {"quiz": -0.5 - i, "riddle": -1.0}) for i in (0, 1)}
    without = {f"seed-{i}.games": training(tmp_path / f"w{i}", {"riddle": -1.25, "quiz": -2.5}) for i in (0, 1)}
    table = measure_retraining(plan_of({"games": ["games"]}), full, without)
    ends = table[table["outcome"] == "end"]
    assert ends.groupby("benchmark")["effect"].apply(list).to_dict() == {"quiz": [-2.0, -1.0], "riddle": [-0.25] * 2}
    assert (table["without"] - table["full"] == table["effect"]).all()


def test_the_course_is_the_mean_over_evaluations_and_the_end_the_last(tmp_path: Path) -> None:
    full = {"seed-0": training(tmp_path / "f", {"quiz": -1.0})}
    without = {"seed-0.half-00": training(tmp_path / "w", {"quiz": -2.0})}
    table = measure_retraining(plan_of({"half-00": ["games", "health"]}, seeds=(0,)), full, without).set_index(
        "outcome"
    )
    assert set(table["design"]) == {"half"}
    assert table["full"].to_dict() == {"training_mean": -1.5, "end": -1.0}
    assert table["without"].to_dict() == {"training_mean": -2.5, "end": -2.0}


def test_a_training_that_is_not_there_is_named(tmp_path: Path) -> None:
    full = {"seed-0": training(tmp_path / "f", {"quiz": -1.0})}
    with pytest.raises(CounterfactualError, match=r"training seed-0\.games is missing"):
        measure_retraining(plan_of({"games": ["games"]}), full, {})


def test_what_is_expected_of_topics_together_is_their_sum() -> None:
    plan = plan_of({"games": ["games"], "half-00": ["games", "politics"]})
    expected = predict_effects(plan, check_of([1.0, 2.0, 4.0, 8.0])).set_index("arm")["value"]
    assert expected.to_dict() == {"games": 1.0, "half-00": 9.0}


def test_designs_and_outcomes_are_told_apart() -> None:
    alone = effects_of([[-3.0, -2.0, -1.0, 0.0]] * 2)
    other = alone.assign(outcome="training_mean", effect=-alone["effect"])
    halves = alone.assign(design="half")
    table = compare_with_retraining(pd.concat([alone, other, halves]), expected_of([4, 3, 2, 1])).query(
        "measure == 'rank'"
    )
    assert table.set_index(["design", "outcome"])["correlation"].to_dict() == {
        ("topic", "end"): pytest.approx(1),
        ("topic", "training_mean"): pytest.approx(-1),
        ("half", "end"): pytest.approx(1),
    }


def test_a_topic_whose_loss_hurts_supports() -> None:
    table = compare_with_retraining(effects_of([[-3.0, -2.0, -1.0, 0.0]] * 2), pd.concat([expected_of([4, 3, 2, 1]),
                                                                         expected_of([1, 2, 3, 4], "n")]))  # fmt: skip
    assert set(table["measure"]) == {"rank", "value"}
    table = table[table["measure"] == "rank"]
    assert table.set_index("method")["correlation"].to_dict() == {"m": pytest.approx(1), "n": pytest.approx(-1)}
    assert table["n_arms"].tolist() == [4, 4]


def test_equal_seeds_leave_no_noise() -> None:
    row = compare_with_retraining(effects_of([[-3.0, -2.0, -1.0, 0.0]] * 2), expected_of([1, 2, 3, 4])).iloc[0]
    assert row[["seed_correlation", "reliability", "noise_ceiling"]].tolist() == pytest.approx([1, 1, 1])


def test_the_ceiling_follows_spearman_and_brown() -> None:
    # Ranks 1 2 3 4 and 2 1 4 3: rho = 0.6; two seeds: 1.2 / 1.6 = 0.75, root 0.866.
    row = compare_with_retraining(
        effects_of([[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]]), expected_of([1, 2, 3, 4])
    ).iloc[0]
    assert row["seed_correlation"] == pytest.approx(0.6)
    assert row["reliability"] == pytest.approx(0.75)
    assert row["noise_ceiling"] == pytest.approx(np.sqrt(0.75))


def test_seeds_that_contradict_each_other_leave_no_room() -> None:
    row = compare_with_retraining(
        effects_of([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]]), expected_of([1, 2, 3, 4])
    ).iloc[0]
    assert row["seed_correlation"] == pytest.approx(-1)
    assert row[["reliability", "noise_ceiling"]].tolist() == [0, 0]
    assert np.isnan(row["correlation"])


def test_values_count_by_value() -> None:
    _, row = compare_with_retraining(effects_of([[-4.0, -2.0, -3.0, 1.0]] * 2), expected_of([9, 5, 7, -1])).to_dict(
        "records"
    )
    assert (row["measure"], row["correlation"]) == ("value", pytest.approx(1))


def test_ranks_count_by_rank_and_a_constant_check_has_none() -> None:
    effects = effects_of([[-4.0, -2.0, -3.0, 0.0]] * 2)
    one, other = expected_of([4, 1, 2, 3]), expected_of([400, -1, 2, 3])
    ranks, values = compare_with_retraining(effects, one), compare_with_retraining(effects, other)
    assert ranks["correlation"][0] == values["correlation"][0]
    assert ranks["correlation"][1] != values["correlation"][1]
    assert compare_with_retraining(effects, expected_of([1, 1, 1, 1]))["correlation"].isna().all()


def test_a_check_that_lacks_a_topic_is_refused() -> None:
    with pytest.raises(CounterfactualError, match=r"m has no value of topic 'politics' for quiz"):
        predict_effects(plan_of({topic: [topic] for topic in TOPICS}), check_of([1, 2, 3, 4]).iloc[:3])


def test_each_dose_is_a_check_and_bins_become_topics() -> None:
    topics = pd.DataFrame({"method": "m", "benchmark": "quiz", "topic": TOPICS, "z": [1.0, 2, 3, 4]})
    patches = pd.DataFrame(
        {
            "topic": "games",
            "format": ["a", "b"] * 2,
            "benchmark": "quiz",
            "dose": [1, 1, 4, 4],
            "effect": [1.0, 3, 5, 7],
        }
    )
    table = values_of_topics(topics, patches)
    assert list(table.columns) == ["method", "benchmark", "topic", "value"]
    patched = table[table["method"] != "m"]
    assert patched.set_index("method")["value"].to_dict() == {"tail_patch_1": 2.0, "tail_patch_4": 6.0}


def test_without_patches_the_methods_alone_are_checks() -> None:
    topics = pd.DataFrame({"method": "m", "benchmark": "quiz", "topic": TOPICS, "z": [1.0, 2, 3, 4]})
    assert values_of_topics(topics, None)["method"].tolist() == ["m"] * 4
