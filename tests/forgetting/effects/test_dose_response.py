"""Curves start at nought, and a step counts the runs that reached it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from social_provenance.forgetting.effects.dose_response import dose_response
from social_provenance.schemas.unlearning_effects import UnlearningDoseResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.effects.changes import RunTables


def harm(arm: str, number: int, benchmark: str, aligned: str) -> float:
    return (0.4 if arm.startswith("influence") else 0.1) + 0.01 * number + (0 if benchmark == aligned else 9)


def test_the_aligned_benchmark_falls_along_the_steps(simulate: Callable[..., RunTables]) -> None:
    table = dose_response(simulate(harm, topics=("games", None)))
    UnlearningDoseResponse.validate(table, lazy=True)
    own = table[(table["benchmark"] == "social") & (table["outcome"] == "choice_logprob")].set_index(["arm", "step"])
    curve = own.loc["random_in_topic"]
    np.testing.assert_allclose(curve["mean"], [0, -0.03, -0.06, -0.12])
    np.testing.assert_allclose(curve.loc[12, ["low", "high"]].astype(float), [-0.14, -0.1])
    np.testing.assert_allclose(curve["forget_rise"], [0, 0.125, 0.25, 0.5])
    np.testing.assert_allclose(curve["heldout_rise"], [0, 0.0075, 0.015, 0.03])
    assert (curve["runs"] == 5).all()
    assert own.loc[("influence_global", 12), "mean"] == pytest.approx(-0.405)
    assert set(table["outcome"]) == {"choice_logprob", "gold_logprob", "margin", "accuracy"}


def test_stopped_runs_count_as_far_as_they_came_and_failed_ones_not(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(harm, benchmarks=("social",))
    ids = measured.runs["run_id"]
    stopped, failed = (
        ids[ids.str.endswith("random_in_topic.4")].item(),
        ids[ids.str.endswith("random_in_topic.3")].item(),
    )
    trajectory = measured.trajectory[(measured.trajectory["run_id"] != stopped) | (measured.trajectory["step"] <= 3)]
    runs = measured.runs.assign(status=np.where(ids == failed, "failed", np.where(ids == stopped, "stopped", "done")))
    table = dose_response(replace(measured, runs=runs, trajectory=trajectory))
    own = table[(table["outcome"] == "choice_logprob") & (table["arm"] == "random_in_topic")].set_index("step")
    assert own["runs"].tolist() == [4, 4, 3, 3]
    assert own.loc[12, "mean"] == pytest.approx(-0.11)


def test_order_of_rows_does_not_matter(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(harm)
    tables = [table.sample(frac=1, random_state=1) for table in (measured.runs, measured.answers, measured.trajectory)]
    pd.testing.assert_frame_equal(dose_response(measured), dose_response(type(measured)(*tables)))
