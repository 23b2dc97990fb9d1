"""Nothing is both forgotten and retained; losses, shares and log-probabilities are in their range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.schemas import unlearning

if TYPE_CHECKING:
    from collections.abc import Callable

RUN: dict[str, Any] = {
    "benchmark": "quiz",
    "topic": "games",
    "arm": "influence_in_topic",
    "algorithm": "ngdiff",
    "seed": 0,
    "steps": 3,
    "forget_tokens": 100,
}


def two(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame([{"run_id": name, **columns} for name in ("a", "b")])


def test_plan_faults(refuses: Callable[..., None]) -> None:
    plan = two(**RUN, forget_ids=["x"], retain_ids=["y"])
    refuses(unlearning.UnlearningPlan, plan, "retain_ids", ["x", "z"], "nothing is both forgotten and retained")
    refuses(unlearning.UnlearningPlan, plan, "arm", "third_arm")
    refuses(unlearning.UnlearningPlan, plan, "run_id", "b")


def test_run_faults(refuses: Callable[..., None]) -> None:
    losses = {f"{name}_loss_{when}": 1.0 for name in ("forget", "retain") for when in ("before", "after")}
    runs = two(**RUN, **losses, n_forget=8, n_retain=8, checkpoint="c")
    refuses(unlearning.UnlearningRuns, runs, "forget_loss_after", -0.5)
    refuses(unlearning.UnlearningRuns, runs, "forget_loss_after", float("nan"))
    refuses(unlearning.UnlearningRuns, runs, "n_forget", 0)


def test_evaluation_faults(refuses: Callable[..., None]) -> None:
    evaluations = two(benchmark="quiz", accuracy=0.5, gold_logprob=-2.0, choice_logprob=-0.7)
    refuses(unlearning.UnlearningEvaluations, evaluations, "accuracy", 50.0)
    refuses(unlearning.UnlearningEvaluations, evaluations, "gold_logprob", 0.5)
    refuses(unlearning.UnlearningEvaluations, evaluations, "run_id", "b", "unique")


def test_trajectory_faults(refuses: Callable[..., None]) -> None:
    measured = ("forget_loss", "retain_loss", "forget_grad_norm", "retain_grad_norm", "grad_norm")
    steps = two(step=1, **dict.fromkeys(measured, 1.0))
    refuses(unlearning.UnlearningTrajectory, steps, "step", 0)
    refuses(unlearning.UnlearningTrajectory, steps, "grad_norm", -1.0)
    refuses(unlearning.UnlearningTrajectory, steps, "run_id", "b", "unique")


@pytest.mark.parametrize(
    ("column", "value", "message"), [("ci_low", 3.0, "in order"), ("seeds", 0, "seeds"), ("benchmark", "b", "unique")]
)
def test_effect_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    row = {
        "topic": "games",
        "algorithm": "ngdiff",
        "outcome": "accuracy",
        "influence": -1.0,
        "random": -0.5,
        "influence_minus_random": -0.5,
        "ci_low": -1.0,
        "ci_high": 0.0,
        "others": float("nan"),
        "seeds": 3,
    }
    effects = pd.DataFrame([{"benchmark": name, **row} for name in ("a", "b")])
    refuses(unlearning.UnlearningEffects, effects, column, value, message)
