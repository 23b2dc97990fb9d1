"""Curves start before the first step, and carry the same names in every run."""

from __future__ import annotations

import math

import pandas as pd

from social_provenance.hooks.study_curves import Point, effects_of, losses, measured, rows, scores

SCORES = ["choice_logprob", "accuracy", "gold_logprob"]


def evaluations(*values: tuple[int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"run_id": "r", "step": step, "benchmark": name, **dict.fromkeys(SCORES, value)}
            for step, name, value in values
        ]
    )


def test_a_loss_has_its_perplexity_and_a_rise_has_none() -> None:
    table = pd.DataFrame({"run_id": ["r"], "step": [3], "retain_loss": [2.0], "heldout_rise": [0.1]})
    assert list(losses(table)) == [
        Point("retain_loss", 2.0, 3),
        Point("retain_perplexity", math.exp(2.0), 3),
        Point("heldout_rise", 0.1, 3),
    ]


def test_a_loss_too_large_for_a_perplexity_stays_a_loss() -> None:
    table = pd.DataFrame({"step": [0], "forget_loss": [1e4]})
    assert list(losses(table)) == [Point("forget_loss", 1e4, 0)]


def test_what_was_not_measured_is_no_point() -> None:
    table = pd.DataFrame({"run_id": "r", "step": [1, 2, 3], "grad_norm": [0.5, None, math.inf]})
    assert list(measured(table, "step.")) == [Point("step.grad_norm", 0.5, 1)]


def test_the_aligned_benchmark_and_the_mean_of_the_others_have_common_names() -> None:
    table = evaluations((0, "quiz", -1.0), (0, "riddle", -2.0), (0, "maze", -4.0), (5, "quiz", -6.0))
    found = {(point.name, point.step): point.value for point in scores(table, "quiz")}
    for score in SCORES:
        assert found[f"quiz.{score}", 0] == found[f"aligned.{score}", 0] == -1.0
        assert found[f"aligned.{score}", 5] == -6.0
        assert found[f"others.{score}", 0] == -3.0
    assert not [name for name, step in found if name.startswith("others") and step == 5]


def test_a_single_benchmark_has_no_others() -> None:
    names = {point.name.split(".")[0] for point in scores(evaluations((0, "quiz", -1.0)), "quiz")}
    assert names == {"quiz", "aligned"}


def test_effects_at_equal_compute_are_numbers_of_the_study() -> None:
    row = {"benchmark": "quiz", "topic": "health", "algorithm": "npo", "outcome": "choice_logprob"}
    estimates = {"influence_minus_random": -0.5, "did": None, "did_p": None, "p": 0.25, "selectivity": 3.0}
    table = pd.DataFrame(
        [
            {**row, "reading": "equal_compute", **estimates},
            {**row, "reading": "area", **estimates},
            {**row, "topic": None, "reading": "equal_compute", **estimates},
            {**row, "outcome": "margin", "reading": "equal_compute", **estimates},
        ]
    )
    assert list(effects_of(table)) == [
        Point("effects/quiz.health.npo.choice_logprob.influence_minus_random", -0.5, 0),
        Point("effects/quiz.health.npo.choice_logprob.p", 0.25, 0),
        Point("effects/quiz.global.npo.choice_logprob.influence_minus_random", -0.5, 0),
        Point("effects/quiz.global.npo.choice_logprob.p", 0.25, 0),
    ]


def test_rows_leave_out_what_is_null() -> None:
    table = pd.DataFrame({"topic": ["health", None], "loss": [None, 1.0]})
    assert list(rows(table)) == [{"topic": "health"}, {"loss": 1.0}]
