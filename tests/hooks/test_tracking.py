"""A study is in MLflow once: one parent, one nested run for each unlearning run."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset

from social_provenance.forgetting.settings import Unlearning
from social_provenance.hooks.tracking import STUDY_TABLES, TrackingHooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARMS = ("influence_in_topic", "random_in_topic")
PARAMETERS = {"unlearning": Unlearning(steps=2), "miniature": {"seed": 42}, "evaluation": {"benchmarks": ["quiz"]}}
LONG = 1001
"""Steps of a dose with more metrics than MLflow takes at a time."""

SETTINGS = {"enabled": True, "tracking_uri": "sqlite:///mlflow.db", "experiment": "study"}


def study_tables(checkpoint: str = "c", steps: int = 2) -> dict[str, pd.DataFrame]:
    """Return the tables of a study of one benchmark, two arms, one seed."""
    runs = [
        {
            "run_id": f"quiz.health.{arm}.ngdiff.0",
            "benchmark": "quiz",
            "topic": "health",
            "arm": arm,
            "seed": 0,
            "steps": steps,
            "forget_loss_before": 1.0,
            "forget_loss_after": 1.5 + place,
            "checkpoint": f"{checkpoint}{place}",
        }
        for place, arm in enumerate(ARMS)
    ]
    ids = ["untouched", *(run["run_id"] for run in runs)]
    scores = {"accuracy": 0.75, "gold_logprob": -1.0, "choice_logprob": -0.5}
    evaluations = [{"benchmark": "quiz", "run_id": run_id, **scores} for run_id in ids]
    trajectory = [
        {"run_id": run["run_id"], "step": step, "forget_loss": 1.0 + step}
        for run in runs
        for step in range(1, steps + 1)
    ]
    effects = [{"benchmark": "quiz", "outcome": "gold_logprob", "influence_minus_random": -0.25}]
    rows: tuple[list[dict[str, Any]], ...] = (runs, evaluations, trajectory, effects)
    return {name: pd.DataFrame(table) for name, table in zip(STUDY_TABLES, rows, strict=True)}


def run_study(project: Path, tables: dict[str, pd.DataFrame], **settings: Any) -> None:
    """Let the hooks see a run that saves ``tables``."""
    hooks = TrackingHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"mlflow": SETTINGS | settings}, project_path=project))
    hooks.before_pipeline_run(DataCatalog({"parameters": MemoryDataset(PARAMETERS)}))
    hooks.after_dataset_saved("document_scores", pd.DataFrame())
    for name, table in tables.items():
        hooks.after_dataset_saved(name, table)


def read_runs(project: Path) -> list[Any]:
    """Return the runs of the experiment, parent first."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("study")
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which the same study ran twice."""
    project = tmp_path_factory.mktemp("project")
    run_study(project, study_tables())
    run_study(project, study_tables())
    return project


@pytest.fixture
def by_name(tracked: Path) -> Callable[[str], Any]:
    """Return a function from the end of a run's name to the run."""
    runs = read_runs(tracked)

    def find(part: str) -> Any:
        (found,) = [run for run in runs if part in run.info.run_name]
        return found

    return find


def test_a_study_is_logged_once(tracked: Path) -> None:
    assert len(read_runs(tracked)) == 1 + len(ARMS)
    assert {run.info.status for run in read_runs(tracked)} == {"FINISHED"}


def test_runs_are_nested_below_one_parent(by_name: Callable[[str], Any]) -> None:
    parent = by_name("study-")
    assert "mlflow.parentRunId" not in parent.data.tags
    for arm in ARMS:
        tags = by_name(arm).data.tags
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert (tags["arm"], tags["benchmark"], tags["topic"]) == (arm, "quiz", "health")


def test_parameters_are_flat(by_name: Callable[[str], Any]) -> None:
    params = by_name("study-").data.params
    assert params["unlearning.steps"] == "2"
    assert params["unlearning.optimiser.learning_rate"] == "0.0003"
    assert params["miniature.seed"] == "42"
    assert by_name("random_in_topic").data.params["seed"] == "0"


def test_effects_are_metrics_of_the_parent(by_name: Callable[[str], Any]) -> None:
    assert by_name("study-").data.metrics == {"quiz.gold_logprob.influence_minus_random": -0.25}


def test_a_run_has_its_curve_from_before_to_after(tracked: Path, by_name: Callable[[str], Any]) -> None:
    from mlflow import MlflowClient

    run = by_name("random_in_topic")
    client = MlflowClient(f"sqlite:///{tracked / 'mlflow.db'}")

    def curve(name: str) -> list[tuple[int, float]]:
        return sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))

    assert curve("forget_loss") == [(1, 2.0), (2, 3.0)]
    assert curve("forget_loss_whole_set") == [(0, 1.0), (2, 2.5)]
    assert curve("quiz.accuracy") == [(0, 0.75), (2, 0.75)]
    assert "forget_loss_before" not in run.data.params


def test_tables_are_artifacts_below_the_project(tracked: Path, by_name: Callable[[str], Any]) -> None:
    folder = tracked / "mlruns" / by_name("study-").info.run_id / "artifacts"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(STUDY_TABLES)
    assert len(pd.read_csv(folder / "unlearning_runs.csv")) == len(ARMS)


def test_a_run_has_its_own_rows_as_artifacts(tracked: Path, by_name: Callable[[str], Any]) -> None:
    folder = tracked / "mlruns" / by_name("random_in_topic").info.run_id / "artifacts"
    assert sorted(path.stem for path in folder.iterdir()) == sorted({*STUDY_TABLES} - {"unlearning_effects"})
    for path in folder.iterdir():
        assert set(pd.read_csv(path)["run_id"]) == {"quiz.health.random_in_topic.ngdiff.0"}


def test_another_study_is_another_parent(tmp_path: Path) -> None:
    for checkpoint in "cd":
        run_study(tmp_path, study_tables(checkpoint))
    assert len(read_runs(tmp_path)) == 2 * (1 + len(ARMS))


def test_a_study_that_was_logged_in_part_is_logged_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = study_tables()
    broken["unlearning_runs"] = broken["unlearning_runs"].drop(columns="steps")
    with caplog.at_level(logging.WARNING):
        run_study(tmp_path, broken)
    assert "the study is not in MLflow (KeyError: 'steps'); everything else goes on" in caplog.messages
    run_study(tmp_path, study_tables())
    parents = [run for run in read_runs(tmp_path) if run.info.run_name.startswith("study-")]
    assert [run.info.status for run in parents] == ["FAILED", "FINISHED"]


def test_a_long_dose_is_logged_in_full(tmp_path: Path) -> None:
    run_study(tmp_path, study_tables(steps=LONG))
    last = [run.data.metrics["forget_loss"] for run in read_runs(tmp_path) if "forget_loss" in run.data.metrics]
    assert last == [1.0 + LONG] * len(ARMS)


def test_a_tracker_that_fails_does_not_stop_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run_study(tmp_path, study_tables(), tracking_uri="no-such-store://x")
    (message,) = caplog.messages
    assert message.startswith("the study is not in MLflow (")
    assert message.endswith("everything else goes on")


@pytest.mark.parametrize("left_out", STUDY_TABLES)
def test_nothing_is_logged_before_the_study_is_whole(tmp_path: Path, left_out: str) -> None:
    run_study(tmp_path, {name: table for name, table in study_tables().items() if name != left_out})
    assert list(tmp_path.iterdir()) == []


def test_tracking_can_be_switched_off(tmp_path: Path) -> None:
    run_study(tmp_path, study_tables(), enabled=False)
    assert list(tmp_path.iterdir()) == []
