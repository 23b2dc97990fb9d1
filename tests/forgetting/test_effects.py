"""The effect of an arm: nought where arms agree, the planted difference where they do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.estimation.settings import Bootstrap
from social_provenance.forgetting.effects import OUTCOMES, gather, measure_effects, paired_interval
from social_provenance.forgetting.run import ANSWERS, STEPS, SUMMARY, UNTOUCHED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    Harm = Callable[[str, str, int], Any]
    Study = tuple[pd.DataFrame, dict[str, Path]]

BOOTSTRAP = Bootstrap(replicates=200)
ITEMS = 24
SEEDS = (0, 1, 2)


def _answers(harm: dict[str, Any], clusters: int = ITEMS) -> pd.DataFrame:
    """Return the answers of a model whose log-probabilities fell by ``harm`` of a benchmark."""
    import pandas as pd

    frames = []
    for benchmark in ("social", "stem"):
        gold = np.linspace(-3, -1, ITEMS) - harm[benchmark]
        frame = pd.DataFrame({"item": [f"{benchmark}/{item}" for item in range(ITEMS)], "gold_logprob": gold})
        clustered = [f"{benchmark} {item % clusters}" for item in range(ITEMS)]
        frames.append(frame.assign(benchmark=benchmark, cluster=clustered, correct=gold > -2, choice_logprob=gold / 2))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[[Harm], Study]:
    """Return a function that writes the runs of a study whose harm is a function of arm, benchmark and seed."""
    import pandas as pd

    def write(name: str, answers: pd.DataFrame) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        answers.to_parquet(folder / ANSWERS)
        pd.DataFrame({"step": [1, 2], "forget_loss": [1.0, 2.0]}).to_parquet(folder / STEPS)
        (folder / SUMMARY).write_text(json.dumps({"forget_loss_before": 1.0, "forget_loss_after": 2.0}))
        return folder

    def make(harm: Harm) -> Study:
        folders = {UNTOUCHED: write(UNTOUCHED, _answers({"social": 0, "stem": 0}).sample(frac=1, random_state=9))}
        rows = []
        for seed in SEEDS:
            for arm in ("influence_in_topic", "random_in_topic"):
                run_id = f"social.games.{arm}.ngdiff.{seed}"
                done = _answers({benchmark: harm(arm, benchmark, seed) for benchmark in ("social", "stem")})
                folders[run_id] = write(run_id, done.sample(frac=1, random_state=seed))
                named = {"benchmark": "social", "topic": "games", "algorithm": "ngdiff", "arm": arm, "seed": seed}
                rows.append({"run_id": run_id, **named, "forget_ids": ["a", "b"], "retain_ids": ["c", "d", "e"]})
        return pd.DataFrame(rows), folders

    return make


def _planted(arm: str, benchmark: str, seed: int) -> float:
    """Harm the aligned benchmark by 0.5 more in the influence arm, the other one by 0.1 more."""
    more = {"social": 0.5, "stem": 0.1}[benchmark] if arm == "influence_in_topic" else 0.0
    return 0.2 + seed * 0.01 + more


def test_equal_arms_have_no_effect(make_study: Callable[[Harm], Study]) -> None:
    effects = measure_effects(*make_study(lambda _arm, _benchmark, seed: 0.3 + seed), BOOTSTRAP)
    assert effects["outcome"].tolist() == list(OUTCOMES)
    np.testing.assert_allclose(effects[["influence_minus_random", "ci_low", "ci_high", "others"]], 0, atol=1e-12)
    np.testing.assert_allclose(effects["influence"], effects["random"])


def test_a_planted_difference_is_recovered(make_study: Callable[[Harm], Study]) -> None:
    effects = measure_effects(*make_study(_planted), BOOTSTRAP).set_index("outcome")
    gold = effects.loc["gold_logprob"]
    assert gold["influence"] == pytest.approx(-0.71)  # 0.2 + 0.01 on average over seeds + 0.5
    assert gold["random"] == pytest.approx(-0.21)
    assert gold["influence_minus_random"] == pytest.approx(-0.5)
    assert gold["others"] == pytest.approx(-0.1)
    np.testing.assert_allclose(gold[["ci_low", "ci_high"]].astype(float), -0.5)  # every item and seed says the same
    assert effects.loc["choice_logprob", "influence_minus_random"] == pytest.approx(-0.25)
    assert effects.loc["accuracy", "influence_minus_random"] < 0
    assert (effects["seeds"] == 3).all()


def test_swapping_the_arms_turns_the_sign(make_study: Callable[[Harm], Study]) -> None:
    plan, folders = make_study(lambda arm, benchmark, seed: _planted(arm, benchmark, seed) * (1 + seed))
    other = {"influence_in_topic": "random_in_topic", "random_in_topic": "influence_in_topic"}
    one = measure_effects(plan, folders, BOOTSTRAP)
    swapped = measure_effects(plan.assign(arm=plan["arm"].map(other)), folders, BOOTSTRAP)
    np.testing.assert_allclose(swapped["influence_minus_random"], -one["influence_minus_random"])
    np.testing.assert_allclose(swapped["ci_low"], -one["ci_high"])


def test_arms_are_paired_by_seed_whatever_the_order_of_the_plan(make_study: Callable[[Harm], Study]) -> None:
    plan, folders = make_study(lambda arm, _, seed: 10.0 * seed + (0.5 if arm == "influence_in_topic" else 0.0))
    for order in (plan, plan.iloc[[5, 0, 3, 2, 1, 4]]):
        gold = measure_effects(order, folders, BOOTSTRAP).set_index("outcome").loc["gold_logprob"]
        assert gold["influence_minus_random"] == pytest.approx(-0.5)
        np.testing.assert_allclose(gold[["ci_low", "ci_high"]].astype(float), -0.5)  # not so if seeds were mixed


def test_without_another_benchmark_there_is_no_difference_on_others(make_study: Callable[[Harm], Study]) -> None:
    import pandas as pd

    plan, folders = make_study(_planted)
    for folder in folders.values():
        answers = pd.read_parquet(folder / ANSWERS)
        answers[answers["benchmark"] == "social"].to_parquet(folder / ANSWERS)
    assert measure_effects(plan, folders, BOOTSTRAP)["others"].isna().all()


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    settings = Bootstrap(replicates=200, confidence=0.9)
    clusters = np.arange(40)
    hits = 0
    for _ in range(200):
        items = rng.normal(size=(40, 1)) + 0.3
        low, high = paired_interval(items + 0.05 * rng.normal(size=(40, 3)), clusters, settings)
        hits += low < 0.3 < high
    assert 0.83 <= hits / 200 <= 0.97  # nominal 0.90, four standard errors


def test_items_that_share_a_context_do_not_count_as_independent() -> None:
    difference = np.repeat(np.random.default_rng(0).normal(size=(12, 1)), 25, axis=0)
    settings = Bootstrap(replicates=2000)
    alone = paired_interval(difference, np.arange(300), settings)
    shared = paired_interval(difference, np.repeat(np.arange(12), 25), settings)
    assert (shared[1] - shared[0]) / (alone[1] - alone[0]) == pytest.approx(5, rel=0.15)  # the root of 25


def test_seeds_that_disagree_widen_the_interval() -> None:
    settings = Bootstrap(replicates=500)
    agree = np.zeros((200, 3)) + np.random.default_rng(0).normal(size=(200, 1))
    low, high = paired_interval(agree, np.arange(200), settings)
    apart_low, apart_high = paired_interval(agree + np.array([-1, 0, 1]), np.arange(200), settings)
    assert apart_high - apart_low > 3 * (high - low)


def test_gathering_keeps_one_row_a_run_and_the_untouched_model(make_study: Callable[[Harm], Study]) -> None:
    plan, folders = make_study(_planted)
    tables = gather(plan, folders)
    assert tables.runs["run_id"].tolist() == plan["run_id"].tolist()
    assert (tables.runs["n_forget"] == 2).all()
    assert (tables.runs["n_retain"] == 3).all()
    assert (tables.runs["forget_loss_after"] == 2.0).all()
    assert not {"forget_ids", "retain_ids"} & set(tables.runs)
    assert set(tables.evaluations["run_id"]) == {UNTOUCHED, *plan["run_id"]}
    own = tables.evaluations.set_index(["run_id", "benchmark"])["gold_logprob"]
    assert own[UNTOUCHED, "social"] - own[plan["run_id"][0], "social"] == pytest.approx(0.7)
    assert len(tables.trajectory) == 2 * len(plan)


@pytest.mark.parametrize("absent", [UNTOUCHED, "social.games.random_in_topic.ngdiff.1"])
def test_a_run_that_is_not_done_is_named(make_study: Callable[[Harm], Study], absent: str) -> None:
    plan, folders = make_study(_planted)
    del folders[absent]
    said = rf"run {absent} \(and 0 more\) is not done: run the unlearning pipeline from its start"
    with pytest.raises(UnlearningError, match=said):
        gather(plan, folders)
    with pytest.raises(UnlearningError, match=said):
        measure_effects(plan, folders, BOOTSTRAP)
