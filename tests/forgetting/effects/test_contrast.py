"""p is uniform on its grid where sets are exchangeable, and planted differences are recovered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.contrast import against_others, randomisation_p, with_q
from social_provenance.forgetting.effects.tables import measure_effects
from social_provenance.forgetting.vocabulary import FAILED, MEASURES, OUTCOMES, PLAIN, SPECIFIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.effects.changes import RunTables

BOOTSTRAP, SETTINGS = Bootstrap(replicates=200), EffectSettings(forget_rises=(0.1,), heldout_rises=(0.01,))


def effects_of(measured: RunTables) -> pd.DataFrame:
    return measure_effects(measured, SETTINGS, BOOTSTRAP).effects


def primary(measured: RunTables, benchmark: str = "social") -> pd.Series[Any]:
    table = effects_of(measured).set_index(["benchmark", "outcome", "reading"])
    return table.loc[benchmark, "choice_logprob", "equal_compute"]


def planted(arm: str, number: int, benchmark: str, aligned: str) -> float:
    """Harm the aligned benchmark by .5 more, others by .1 more, in the influence arm; runs differ by hundredths."""
    more = (0.5 if benchmark == aligned else 0.1) if arm.startswith("influence") else 0.0
    return 0.2 + 0.01 * number + more


@pytest.mark.parametrize("sets", [1, 5, 19])
def test_p_is_uniform_on_its_grid_where_sets_are_exchangeable(sets: int) -> None:
    rng = np.random.default_rng(0)
    worlds = 4000
    p = np.array([randomisation_p(draw[0], draw[1:])[0] for draw in rng.normal(size=(worlds, sets + 1))])
    grid, counts = np.unique(np.round(p * (sets + 1)).astype(int), return_counts=True)
    assert grid.tolist() == list(range(1, sets + 2))
    np.testing.assert_allclose(counts / worlds, 1 / (sets + 1), atol=4 * (sets**0.5 / (sets + 1)) / worlds**0.5)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_a_null_effect_is_called_no_more_often_than_said(seeds: int) -> None:
    """Sets and order seeds both move a run; the targeted set is one more random set, run several times."""
    rng = np.random.default_rng(seeds)
    called = {0.05: 0, 0.1: 0, 0.25: 0}
    worlds = 2000
    for _ in range(worlds):
        targeted = rng.normal() + 0.4 * rng.normal(size=seeds)
        random = rng.normal(size=19) + 0.4 * rng.normal(size=19)
        p, _ = randomisation_p(float(targeted.mean()), random)
        for level in called:
            called[level] += p <= level
    for level, count in called.items():
        assert count / worlds <= level + 3 * (level * (1 - level) / worlds) ** 0.5


def test_ranks_of_exchangeable_runs_are_uniform_through_the_whole_table(simulate: Callable[..., RunTables]) -> None:
    rng = np.random.default_rng(0)
    topics = tuple(f"topic{place}" for place in range(40))
    measured = simulate(lambda *_: rng.normal(), seeds=1, topics=topics, benchmarks=("social",), grid=(0, 12))
    table = effects_of(measured)
    own = table[(table["outcome"] == "choice_logprob") & (table["reading"] == "equal_compute")]
    assert len(own) == 40
    assert own["p"].mean() == pytest.approx(7 / 12, abs=0.15)  # the mean of 1/6, 2/6 .. 6/6
    assert (own["p"] <= 1 / 6 + 1e-9).mean() <= 1 / 6 + 3 * (5 / 36 / 40) ** 0.5


def test_a_planted_difference_is_recovered(simulate: Callable[..., RunTables]) -> None:
    row = primary(simulate(planted))
    assert row["influence"] == pytest.approx(-0.705)
    assert row["random"] == pytest.approx(-0.22)
    assert row["influence_minus_random"] == pytest.approx(-0.485)
    assert row["others"] == pytest.approx(-0.085)
    assert row["did"] == pytest.approx(-0.4)
    assert row["selectivity"] == pytest.approx(-0.4)
    assert row["ci_low"] < -0.485 < row["ci_high"] < 0
    np.testing.assert_allclose([row["did_low"], row["did_high"]], -0.4)  # every item and every run says the same
    assert (row["n_targeted"], row["n_random"], row["n_random_less_damaging"]) == (2, 5, 5)
    assert row["p"] == row["did_p"] == row["smallest_p"] == pytest.approx(1 / 6)
    assert row["did_n_random_less_damaging"] == 5
    assert row["step"] == 12
    assert row["normalisation"] == "none"
    assert row["reason"] is None


BENCHMARKS = ("social", "stem", "art", "music")
DID = ["did", "did_low", "did_high", "did_n_random_less_damaging", "did_p", "selectivity"]


def test_damage_to_all_benchmarks_alike_is_not_specific(simulate: Callable[..., RunTables]) -> None:
    """The influential documents hurt more than every random set, and every benchmark as much."""

    def alike(arm: str, number: int, *_: str) -> float:
        return 0.3 + 0.1 * number + (0.7 if arm.startswith("influence") else 0.0)

    row = primary(simulate(alike, benchmarks=BENCHMARKS))
    assert row["p"] == row["smallest_p"]
    assert row["influence_minus_random"] == pytest.approx(row["others"]) == pytest.approx(-0.55)
    np.testing.assert_allclose(row[["did", "did_low", "did_high", "selectivity"]].astype(float), 0, atol=1e-12)
    assert (row["did_p"], row["did_n_random_less_damaging"]) == (1, 0)


def test_a_shift_of_all_benchmarks_changes_nothing_specific(simulate: Callable[..., RunTables]) -> None:
    rng = np.random.default_rng(0)
    harm = {name: rng.normal(size=(2, 5, 12)) for name in BENCHMARKS}
    shift = 10 * rng.normal(size=(2, 5))

    def harmed(arm: str, number: int, benchmark: str, _: str) -> np.ndarray:
        return harm[benchmark][int(arm.startswith("random")), number]

    def shifted(arm: str, number: int, benchmark: str, aligned: str) -> np.ndarray:
        return harmed(arm, number, benchmark, aligned) + shift[int(arm.startswith("random")), number]

    one, other = (effects_of(simulate(each, benchmarks=BENCHMARKS)) for each in (harmed, shifted))
    moved = one["outcome"] == "accuracy"  # a share of items is not shifted by a shift of their log-probabilities
    pd.testing.assert_frame_equal(one.loc[~moved, DID], other.loc[~moved, DID])
    assert not np.allclose(one.loc[~moved, "p"], other.loc[~moved, "p"])


def test_the_specific_p_ranks_the_targeted_set_by_aligned_minus_others(simulate: Callable[..., RunTables]) -> None:
    """The targeted set is the most damaging one, and less specific than two of the five random sets."""

    def harm(arm: str, number: int, benchmark: str, aligned: str) -> float:
        if arm.startswith("influence"):
            return 2.0 if benchmark == aligned else 1.65
        return 0.1 * (number + 1) if benchmark == aligned else 0.0

    row = primary(simulate(harm, benchmarks=BENCHMARKS))
    assert (row["n_random_less_damaging"], row["p"]) == (5, pytest.approx(1 / 6))
    assert (row["did_n_random_less_damaging"], row["did_p"]) == (3, pytest.approx(3 / 6))
    assert row["did"] == pytest.approx(-0.35 + 0.3)


def test_the_specific_interval_covers_a_null_as_often_as_it_says(simulate: Callable[..., RunTables]) -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=200)  # what a run does to every benchmark, much more than what it does to one

    def harm(*_: Any) -> np.ndarray:
        return common[rng.integers(200)] + 0.3 * rng.normal(size=12)

    topics = tuple(f"topic{place}" for place in range(60))
    table = effects_of(simulate(harm, topics=topics, benchmarks=("social", "stem"), grid=(0, 12)))
    own = table[(table["outcome"] == "choice_logprob") & (table["reading"] == "equal_compute")]
    covered = ((own["did_low"] <= 0) & (own["did_high"] >= 0)).mean()
    assert len(own) == 120
    assert 0.85 <= covered <= 1
    assert (own["did_p"] <= 1 / 6 + 1e-9).mean() <= 1 / 6 + 3 * (5 / 36 / 120) ** 0.5


def test_every_outcome_and_reading_is_a_row(simulate: Callable[..., RunTables]) -> None:
    table = effects_of(simulate(planted)).set_index(["benchmark", "outcome", "reading"])["influence_minus_random"]
    at = table["social"]
    assert set(at.index.get_level_values("outcome")) == set(OUTCOMES)
    assert at["gold_logprob", "equal_compute"] == pytest.approx(-0.97)
    assert at["margin", "equal_compute"] == pytest.approx(3 * -0.485)
    assert at["choice_logprob", "area"] == pytest.approx(-0.485 / 2)
    assert at["choice_logprob", "forget_loss+0.1"] == pytest.approx(-0.485 / 5)
    assert at["choice_logprob", "heldout_loss+0.01"] == pytest.approx(-0.485 / 2)
    assert at["accuracy", "equal_compute"] < 0


def test_answers_that_never_change_give_no_effect_and_p_of_1(simulate: Callable[..., RunTables]) -> None:
    table = effects_of(simulate())
    zeros = ["influence", "random", "influence_minus_random", "ci_low", "ci_high", "others", "did", "selectivity"]
    np.testing.assert_array_equal(table[zeros], 0)
    for measure in MEASURES:
        assert (table[measure.p] == 1).all()
        assert (table[measure.n_less] == 0).all()


def test_sets_that_hurt_as_much_but_for_rounding_count_as_damaging() -> None:
    assert randomisation_p(-0.1 - 0.2, np.array([-0.3, -0.3, -0.1])) == (0.75, 1)


def test_order_of_rows_and_names_of_runs_change_nothing(same_study_twice: tuple[RunTables, RunTables]) -> None:
    one, other = (measure_effects(measured, SETTINGS, BOOTSTRAP) for measured in same_study_twice)
    for name in ("effects", "sets", "equivalence"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_a_failed_run_is_counted_out(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(planted)
    lost = measured.runs["run_id"].isin(["social.games.influence_in_topic.1", "social.games.random_in_topic.4"])
    row = primary(replace(measured, runs=measured.runs.assign(status=np.where(lost, FAILED, "done"))))
    assert (row["n_targeted"], row["n_random"]) == (1, 4)
    assert row["p"] == row["smallest_p"] == pytest.approx(1 / 5)
    assert row["influence"] == pytest.approx(-0.7)
    assert row["random"] == pytest.approx(-0.215)


def test_an_arm_of_failed_runs_leaves_a_reason(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(planted)
    lost = measured.runs["arm"].eq("random_in_topic") & measured.runs["benchmark"].eq("social")
    table = effects_of(replace(measured, runs=measured.runs.assign(status=np.where(lost, FAILED, "done"))))
    own = table[table["benchmark"] == "social"]
    assert (own["reason"] == "no run of random_in_topic is left").all()
    assert own[["influence", "influence_minus_random", "p", "smallest_p", *SPECIFIC]].isna().all(axis=None)
    assert (own["n_random"] == 0).all()
    assert table.loc[table["benchmark"] == "stem", "influence_minus_random"].notna().all()


def test_a_contrast_without_any_run_is_still_a_row(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(planted, benchmarks=("social",))
    table = effects_of(replace(measured, runs=measured.runs.assign(status=FAILED)))
    assert len(table) == 4 * len(OUTCOMES)
    assert (table["reason"] == "no run of influence_in_topic is left").all()


def test_a_stopped_run_sets_the_step_of_its_contrast(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(planted)
    stopped = "social.games.random_in_topic.2"
    answers, trajectory = (
        table[(table["run_id"] != stopped) | (table["step"] <= 6)] for table in (measured.answers, measured.trajectory)
    )
    runs = measured.runs.assign(status=np.where(measured.runs["run_id"] == stopped, "stopped", "done"))
    table = effects_of(type(measured)(runs, answers, trajectory)).set_index(["benchmark", "outcome", "reading"])
    row = table.loc["social", "choice_logprob", "equal_compute"]
    assert (row["step"], row["n_random"]) == (6, 5)
    assert row["influence_minus_random"] == pytest.approx(-0.485 / 2)
    assert table.loc["stem", "choice_logprob", "equal_compute"]["step"] == 12


def test_a_dose_that_an_arm_never_reaches_leaves_a_reason(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(planted)
    slow = measured.trajectory["run_id"].str.contains("random")
    trajectory = measured.trajectory.assign(forget_loss=measured.trajectory["forget_loss"].where(~slow, 1.0))
    table = effects_of(replace(measured, trajectory=trajectory)).set_index(["benchmark", "outcome", "reading"])
    row = table.loc["social", "choice_logprob", "forget_loss+0.1"]
    assert row["reason"] == "none of 5 runs of random_in_topic reached forget_loss+0.1"
    assert (row["n_targeted"], row["n_random"]) == (2, 0)
    assert np.isnan(row["influence_minus_random"])


def test_one_random_set_has_no_interval_and_p_of_a_half(simulate: Callable[..., RunTables]) -> None:
    row = primary(simulate(planted, sets=1))
    assert np.isnan([row["ci_low"], row["ci_high"], row["did_low"]]).all()
    assert row["influence_minus_random"] == pytest.approx(-0.505)
    assert row["p"] == row["smallest_p"] == 0.5


def test_with_one_benchmark_there_are_no_others(simulate: Callable[..., RunTables]) -> None:
    row = primary(simulate(planted, benchmarks=("social",)))
    assert pd.isna(row[["others", *SPECIFIC, "selectivity"]]).all()
    assert row["influence_minus_random"] == pytest.approx(-0.485)
    assert against_others("social", ["social"]) == {}
    assert against_others("a", ["a", "b", "c"]) == {"a": 1, "b": -0.5, "c": -0.5}


def test_q_is_that_of_statsmodels_over_the_primary_family_alone(simulate: Callable[..., RunTables]) -> None:
    rng = np.random.default_rng(0)
    harm = rng.normal(size=(1000, 12))
    measured = simulate(lambda *_: harm[rng.integers(1000)], topics=("games", "health", None))
    table = effects_of(measured)
    family = (
        (table["scope"] == "topic") & (table["outcome"] == "choice_logprob") & (table["reading"] == "equal_compute")
    )
    assert family.sum() == 4
    for measure in MEASURES:
        expected = multipletests(table.loc[family, measure.p], method="fdr_bh")[1]
        np.testing.assert_allclose(table.loc[family, measure.q], expected)
        assert table.loc[~family, measure.q].isna().all()
    assert SPECIFIC.q != PLAIN.q
    assert table["topic"].isna().sum() == (table["scope"] == "global").sum() > 0


def test_q_passes_over_what_has_no_p() -> None:
    row = {"scope": "topic", "outcome": "choice_logprob", "reading": "equal_compute"}
    table = with_q(pd.DataFrame([{**row, "p": p, "did_p": None} for p in (0.02, None, 0.04)]))
    assert table["did_q"].isna().all()
    np.testing.assert_allclose(table["q"], [0.04, np.nan, 0.04])


def test_sets_have_the_mean_change_of_every_set_on_every_benchmark(simulate: Callable[..., RunTables]) -> None:
    sets = measure_effects(simulate(planted), SETTINGS, BOOTSTRAP).sets
    own = sets[(sets["outcome"] == "choice_logprob") & (sets["reading"] == "equal_compute")]
    table = own[own["benchmark"] == "social"].set_index(["measured", "arm", "set"])
    assert table.loc[("social", "influence_in_topic", 0), "change"] == pytest.approx(-0.705)
    assert table.loc[("social", "influence_in_topic", 0), "runs"] == 2
    assert table.loc[("stem", "random_in_topic", 3), "change"] == pytest.approx(-0.23)
    assert len(table) == 2 * 6
