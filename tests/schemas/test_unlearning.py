"""Nothing is both forgotten and retained; runs say how they ended; losses and log-probabilities are in their range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.schemas import unlearning

if TYPE_CHECKING:
    from collections.abc import Callable

    Refuses = Callable[..., None]

RUN: dict[str, Any] = {
    "benchmark": "quiz",
    "topic": "games",
    "scope": "topic",
    "arm": "influence_in_topic",
    "set": 0,
    "algorithm": "ngdiff",
    "seed": 0,
    "steps": 3,
    "forget_tokens": 100,
    "digest": "d",
}


def two(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame([{"run_id": name, **columns} for name in ("a", "b")])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("retain_ids", ["x", "z"], "a document is in one of a run's sets"),
        ("held_out_ids", ["y"], "a document is in one of a run's sets"),
        ("forget_ids", ["x", "x"], "a document is in one of a run's sets"),
        ("arm", "third_arm", "arm"),
        ("scope", "global", "a global run has no topic"),
        ("topic", None, "a global run has no topic"),
        ("topic", "gamez", "topic"),
        ("run_id", "b", "run_id"),
        ("set", -1, "set"),
        ("steps", 0, "steps"),
        ("forget_tokens", 0, "forget_tokens"),
    ],
)
def test_plan_faults(refuses: Refuses, column: str, value: object, message: str) -> None:
    plan = two(**RUN, forget_ids=["x"], retain_ids=["y"], held_out_ids=["z"])
    refuses(unlearning.UnlearningPlan, plan, column, value, message)


def test_a_global_run_has_no_topic(refuses: Refuses) -> None:
    everywhere = RUN | {"topic": None, "scope": "global", "arm": "random_global"}
    plan = two(**everywhere, forget_ids=["x"], retain_ids=["y"], held_out_ids=["z"])
    refuses(unlearning.UnlearningPlan, plan, "topic", "games", "a global run has no topic")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("status", "killed", "status"),
        ("status", "stopped", "says why"),
        ("reason", "for no reason", "says why"),
        ("checkpoint", None, "one that failed has no checkpoint"),
        ("last_step", -1, "last_step"),
        ("n_forget", 0, "n_forget"),
        ("n_retain", 0, "n_retain"),
    ],
)
def test_run_faults(refuses: Refuses, column: str, value: object, message: str) -> None:
    runs = two(**RUN, n_forget=8, n_retain=8, status="done", last_step=3, reason=None, checkpoint="c")
    refuses(unlearning.UnlearningRuns, runs, column, value, message)


def test_a_run_that_failed_has_no_checkpoint(refuses: Refuses) -> None:
    ended = {"status": "failed", "last_step": 0, "reason": "forget_loss is nan in step 1", "checkpoint": None}
    runs = two(**RUN, n_forget=8, n_retain=8, **ended)
    refuses(unlearning.UnlearningRuns, runs, "checkpoint", "c", "one that failed has no checkpoint")


def test_balance_faults(refuses: Refuses) -> None:
    means = {"targeted": 50.0, "control": 51.0, "unmatched": 40.0}
    row = {"benchmark": "quiz", "topic": "games", "scope": "topic", "set": 0, **means}
    row |= {"standardised_difference": -0.05, "unmatched_difference": 0.5}
    balance = pd.DataFrame([{**row, "variable": name} for name in ("length", "loss")])
    refuses(unlearning.UnlearningBalance, balance, "variable", "beauty")
    refuses(unlearning.UnlearningBalance, balance, "variable", "loss", "unique")
    refuses(unlearning.UnlearningBalance, balance, "standardised_difference", float("nan"))


def test_answer_faults(refuses: Refuses) -> None:
    answers = two(step=0, benchmark="quiz", item="i", cluster="c", correct=True, gold_logprob=-2.0, margin=-0.5)
    answers = answers.assign(choice_logprob=-0.7)
    refuses(unlearning.UnlearningAnswers, answers, "step", -1)
    refuses(unlearning.UnlearningAnswers, answers, "gold_logprob", 0.5)
    refuses(unlearning.UnlearningAnswers, answers, "choice_logprob", float("nan"))
    refuses(unlearning.UnlearningAnswers, answers, "margin", float("nan"))


def test_evaluation_faults(refuses: Refuses) -> None:
    evaluations = two(step=0, benchmark="quiz", accuracy=0.5, gold_logprob=-2.0, choice_logprob=-0.7)
    refuses(unlearning.UnlearningEvaluations, evaluations, "accuracy", 50.0)
    refuses(unlearning.UnlearningEvaluations, evaluations, "gold_logprob", 0.5)
    refuses(unlearning.UnlearningEvaluations, evaluations, "run_id", "b", "unique")


def test_trajectory_faults(refuses: Refuses) -> None:
    losses = two(step=0, forget_loss=1.0, retain_loss=1.0, heldout_loss=float("nan"), heldout_rise=float("nan"))
    refuses(unlearning.UnlearningTrajectory, losses, "step", -1)
    refuses(unlearning.UnlearningTrajectory, losses, "forget_loss", -1.0)
    refuses(unlearning.UnlearningTrajectory, losses, "retain_loss", float("nan"))
    refuses(unlearning.UnlearningTrajectory, losses, "run_id", "b", "unique")


def test_held_out_faults(refuses: Refuses) -> None:
    held = two(step=0, topic="games", format="faq", loss=3.0)
    refuses(unlearning.UnlearningHeldOut, held, "topic", "gamez")
    refuses(unlearning.UnlearningHeldOut, held, "loss", float("nan"))
    refuses(unlearning.UnlearningHeldOut, held, "run_id", "b", "unique")


def test_step_faults(refuses: Refuses) -> None:
    steps = two(step=1, forget_loss=1.0, grad_norm=1.0)
    steps = unlearning.UnlearningSteps.validate(steps)
    assert steps["retain_objective"].isna().all()  # of an algorithm that measures no such thing
    refuses(unlearning.UnlearningSteps, steps, "step", 0)
    refuses(unlearning.UnlearningSteps, steps, "run_id", "b", "unique")
