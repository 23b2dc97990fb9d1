"""The section says what the tables say, also with one set, one benchmark, lost runs or no global arms."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.forgetting.vocabulary import SPECIFIC
from social_provenance.report.unlearning import write_checks, write_doses, write_unlearning

NAMED = {
    "topic": "games",
    "scope": "topic",
    "algorithm": "ngdiff",
    "outcome": "choice_logprob",
    "reading": "equal_compute",
}
EFFECT: dict[str, Any] = {
    **NAMED,
    "normalisation": "none",
    "step": 12.0,
    "influence": -0.5,
    "random": -0.125,
    "influence_minus_random": -0.375,
    "ci_low": -0.5,
    "ci_high": -0.25,
    "n_targeted": 2,
    "n_random": 5,
    "n_random_less_damaging": 5.0,
    "p": 1 / 6,
    "smallest_p": 1 / 6,
    "q": 1 / 6,
    "others": 0.0625,
    "did": -0.4375,
    "did_low": -0.75,
    "did_high": -0.125,
    "did_n_random_less_damaging": 4.0,
    "did_p": 2 / 6,
    "did_q": 0.5,
    "selectivity": -0.625,
    "reason": None,
}
LOST = {**EFFECT, **{name: None for name, value in EFFECT.items() if isinstance(value, float)}, "n_random": 0}
ALONE = dict.fromkeys(("others", "selectivity", *SPECIFIC))
RUNS = pd.DataFrame({"run_id": ["one", "two"], "status": "done", "last_step": 12, "reason": None})


@pytest.fixture
def evaluation() -> Evaluation:
    names = ("quiz", "exam")
    return Evaluation(
        benchmarks=[Benchmark(name=name, domain="social", level="reasoning", task="t.yaml") for name in names]
    )


def section(evaluation: Evaluation, *effects: dict[str, Any], runs: pd.DataFrame = RUNS) -> str:
    """Return the section; a row of effects is of ``quiz`` unless it says otherwise."""
    table = pd.DataFrame([{"benchmark": "quiz", **effect} for effect in effects])
    return " ".join(write_unlearning(go.Figure(), table, runs, evaluation).split())


def cells(page: str, first: str) -> list[list[str]]:
    """Return the cells of the rows that begin with a text."""
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    return [row for row in found if row and row[0] == first]


def test_the_answer_comes_first_with_p_its_floor_and_the_interval(evaluation: Evaluation) -> None:
    exam = {**EFFECT, "benchmark": "exam", "did_high": 0.25, "did_n_random_less_damaging": 5.0, "did": 0.125}
    page = section(evaluation, {**exam, "influence_minus_random": 0.25}, EFFECT)
    assert (
        "on average in 1 of 2 contrasts, and more than every random set in 1; the interval is below zero in 1." in page
    )
    assert "influential documents hurt more than random ones in 1, and more than every random set in 2;" in page
    assert "With 5 random sets it cannot be smaller than 0.167. So no contrast can be significant at 5%" in page
    assert "read its size and its interval" in page
    specific, plain = cells(page, "quiz")
    assert specific[1:] == [
        *("Games", "−0.625", "−0.188", "−0.438", "[−0.750, −0.125]", "4 of 5", "0.333 (0.167)", "0.500")
    ]
    assert plain[1:] == [
        *("Games", "12", "−0.500", "−0.125", "−0.375", "[−0.500, −0.250]", "5 of 5", "0.167 (0.167)", "0.167", "+0.062")
    ]
    assert "per token of the answer" not in page
    assert "per token of the answer" in section(evaluation, {**EFFECT, "normalisation": "token"})
    assert page.index("<td>quiz</td>") < page.index("<td>exam</td>")  # the order of the study
    assert "None was stopped or failed" in page
    assert "influence_global" not in page
    assert "algorithm</th>" not in page


def test_with_enough_sets_significance_is_counted(evaluation: Evaluation) -> None:
    enough = {**EFFECT, "n_random": 19, "n_random_less_damaging": 19.0, "did_p": 0.05, "smallest_p": 0.05, "did_q": 0.1}
    page = section(evaluation, enough, {**enough, "benchmark": "exam", "did_q": 0.05})
    assert "With 19 random sets it cannot be smaller than 0.050. 2 of 2 have p ≤ 0.05, 1 have q ≤ 0.05." in page


def test_one_random_set_has_no_interval_and_says_why(evaluation: Evaluation) -> None:
    none = dict.fromkeys(("ci_low", "ci_high", "did_low", "did_high"))
    page = section(
        evaluation, {**EFFECT, **none, "n_random": 1, "n_random_less_damaging": 1.0, "p": 0.5, "smallest_p": 0.5}
    )
    assert "With 1 random set it cannot be smaller than 0.500." in page
    assert "read its size." in page
    assert "with one random set there is none, because how far sets differ is not known" in page
    specific, plain = cells(page, "quiz")
    assert specific[5] == plain[6] == "–"
    assert "the interval is below" not in page


def test_one_benchmark_has_no_differences_to_others(evaluation: Evaluation) -> None:
    page = section(evaluation, {**EFFECT, **ALONE})
    assert "on average in 1 of 1 contrasts, and more than every random set in 1." in page
    assert "damage to everything cannot be separated" in page
    assert "With a single benchmark there is no other one to compare with" in page
    assert "on the others" not in page
    assert len(cells(page, "quiz")) == 1
    lost = {**LOST, **ALONE, "reason": "no run of random_in_topic is left"}
    assert cells(section(evaluation, lost), "quiz") == [["quiz", "Games", "no run of random_in_topic is left"]]


def test_a_contrast_that_was_lost_stands_with_its_reason_and_is_not_judged(evaluation: Evaluation) -> None:
    page = section(evaluation, EFFECT, {**LOST, "benchmark": "exam", "reason": "no run of random_in_topic is left"})
    assert "in 1 of 1 contrasts" in page
    assert "1 contrast has no estimate; the table says why." in page
    assert cells(page, "exam") == [["exam", "Games", "no run of random_in_topic is left"]]
    nothing = section(evaluation, {**LOST, "reason": "no run of random_in_topic is left"})
    assert "No contrast can be judged" in nothing
    assert "cannot be smaller" not in nothing


def test_failed_and_stopped_runs_are_listed_with_their_reasons(evaluation: Evaluation) -> None:
    runs = pd.DataFrame(
        {
            "run_id": ["a", "b", "c"],
            "status": ["done", "failed", "stopped"],
            "last_step": [12, 3, 6],
            "reason": [None, "loss is <NaN> at step 4", "held-out loss rose by 0.6"],
        }
    )
    page = section(evaluation, EFFECT, runs=runs)
    assert "1 done, 1 failed, 1 stopped." in page
    assert cells(page, "<code>b</code>") == [["<code>b</code>", "failed", "3", "loss is &lt;NaN&gt; at step 4"]]
    assert "<code>a</code>" not in page


def test_global_arms_have_a_table_of_their_own_and_are_not_in_the_verdict(evaluation: Evaluation) -> None:
    everywhere = {**EFFECT, "scope": "global", "topic": None, "did": 0.25, "did_q": None, "q": None}
    page = section(evaluation, EFFECT, everywhere)
    assert "in 1 of 1 contrasts" in page
    assert page.index("influence_in_topic") < page.index("influence_global")
    assert [len(row) for row in cells(page, "quiz")] == [9, 11, 7, 9]
    assert "in 0 of 1 contrasts" in section(evaluation, everywhere)


def test_algorithms_are_named_where_there_are_several(evaluation: Evaluation) -> None:
    page = section(evaluation, EFFECT, {**EFFECT, "algorithm": "npo"})
    assert [row[2] for row in cells(page, "quiz")] == ["ngdiff", "npo"] * 2


def test_other_readings_are_summed_up_with_what_they_lack(evaluation: Evaluation) -> None:
    why = "none of 5 runs of random_in_topic reached forget_loss+0.4"
    page = section(
        evaluation,
        {**EFFECT, "reading": "area", "did": -0.25, "did_n_random_less_damaging": 5.0},
        {**EFFECT, "reading": "area", "did": 0.75, "benchmark": "exam"},
        {**LOST, "reading": "forget_loss+0.4", "reason": why},
    )
    area, dose = cells(page, "choice_logprob")
    assert area[1:7] == ["area", "2", "1", "1", "+0.250", "−0.375"]
    assert dose[1:7] == ["forget_loss+0.4", "0", "0", "0", "–", "–"]
    assert dose[-1] == why


def test_balance_counts_sets_within_the_bound() -> None:
    balance = pd.DataFrame({"scope": "topic", "variable": "loss", "unmatched_difference": [-0.5, 0.25]})
    page = write_doses(go.Figure(), go.Figure(), balance.assign(standardised_difference=[-0.125, 0.0625]))
    assert cells(" ".join(page.split()), "topic") == [["topic", "loss", "0.375", "0.094", "0.125", "1 of 2"]]
    assert "No random set was matched." in write_doses(
        go.Figure(), go.Figure(), balance.iloc[:0].assign(standardised_difference=0)
    )


def checked(evaluation: Evaluation, **tables: pd.DataFrame) -> str:
    usual = {
        "equivalence": pd.DataFrame(columns=["benchmark", "reading", "equivalent"]),
        "algorithms": pd.DataFrame(),
        "across_topics": pd.DataFrame(columns=["outcome", "reading"]),
    }
    return " ".join(write_checks(**{**usual, **tables}, evaluation=evaluation).split())


def test_checks_of_a_study_that_has_nothing_to_check_say_so(evaluation: Evaluation) -> None:
    page = checked(evaluation)
    assert "nothing is claimed to be without effect" in page
    assert "No topic has an estimate." in page


def test_no_effect_is_said_only_where_arms_are_equivalent(evaluation: Evaluation) -> None:
    row = {**NAMED, "benchmark": "quiz", "comparison": "influence_minus_random", "measured": "exam", "margin": 0.05}
    row |= {"difference": 0.01, "low": -0.02, "high": 0.04, "p": 0.01, "equivalent": True, "reason": None}
    rows = [
        row,
        {**row, "high": 0.25, "p": 0.5, "equivalent": False},
        {**row, "low": None, "high": None, "p": None, "equivalent": False, "reason": "there is one random set"},
        {**row, "comparison": "random_minus_untouched", "scope": "global"},
        {**row, "reading": "area"},
    ]
    page = checked(evaluation, equivalence=pd.DataFrame(rows))
    assert "± 0.050 nats (two one-sided tests at 5%): 2 of 4 comparisons" in page
    assert [cell[-1] for cell in cells(page, "quiz")] == ["yes", "not shown", "there is one random set", "yes"]
    assert [cell[3] for cell in cells(page, "quiz")][-1] == "random − untouched"


def test_algorithms_and_topics_are_shown_with_what_they_rest_on(evaluation: Evaluation) -> None:
    counts = {
        "contrasts": 4,
        "did_hurt_more": 2,
        "did_beyond_every_random_set": 1,
        "aligned_hurt_more": 4,
        "beyond_every_random_set": 3,
        "runs": 28,
        "stopped": 2,
        "failed": 1,
    }
    means = {
        "influence_minus_random": -0.25,
        "did": None,
        "forget_rise": 0.5,
        "retain_rise": 0.0,
        "heldout_rise": 0.125,
    }
    algorithms = pd.DataFrame([{"algorithm": "npo", "scope": "topic", **counts, **means}])
    topic = {
        **NAMED,
        "benchmark": None,
        "measure": "did",
        "n_topics": 4,
        "mean": -0.5,
        "ci_low": -0.75,
        "ci_high": -0.25,
    }
    topic |= {"wilcoxon_p": 0.0625, "smallest_p": 0.0625, "rank_p": 0.001, "smallest_rank_p": 0.0008}
    topic |= dict.fromkeys(("mixed_mean", "mixed_low", "mixed_high")) | {"mixed_reason": "4 topics"}
    page = checked(evaluation, algorithms=algorithms, across_topics=pd.DataFrame([topic]))
    assert cells(page, "npo") == [
        ["npo", "topic", "4", "–", "2", "1", "−0.250", "4", "3", "+0.500", "+0.000", "+0.125", "28", "2", "1"]
    ]
    assert cells(page, "ngdiff") == [
        [
            "ngdiff",
            "all",
            "difference in differences",
            "4",
            "−0.500",
            "[−0.750, −0.250]",
            "0.0625 (0.0625)",
            "0.0010 (0.0008)",
            "–",
            "–",
            "4 topics",
        ]
    ]
