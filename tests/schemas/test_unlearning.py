"""Nothing is both forgotten and retained; runs say how they ended."""

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
        ("scope", "global", "a global run has no topic"),
        ("topic", None, "a global run has no topic"),
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
        ("status", "stopped", "says why"),
        ("reason", "for no reason", "says why"),
        ("checkpoint", None, "one that failed has no checkpoint"),
    ],
)
def test_run_faults(refuses: Refuses, column: str, value: object, message: str) -> None:
    runs = two(**RUN, n_forget=8, n_retain=8, status="done", last_step=3, reason=None, checkpoint="c")
    refuses(unlearning.UnlearningRuns, runs, column, value, message)


def test_a_run_that_failed_has_no_checkpoint(refuses: Refuses) -> None:
    ended = {"status": "failed", "last_step": 0, "reason": "forget_loss is nan in step 1", "checkpoint": None}
    runs = two(**RUN, n_forget=8, n_retain=8, **ended)
    refuses(unlearning.UnlearningRuns, runs, "checkpoint", "c", "one that failed has no checkpoint")


def test_what_an_algorithm_does_not_measure_is_null() -> None:
    steps = unlearning.UnlearningSteps.validate(two(step=1, forget_loss=1.0, grad_norm=1.0))
    assert steps["retain_objective"].isna().all()
