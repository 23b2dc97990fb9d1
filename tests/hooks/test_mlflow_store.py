"""A store has each run once, whatever happened before, and each of them whole."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.hooks.mlflow_store import StudyStore
from social_provenance.hooks.study_curves import Point
from social_provenance.hooks.study_record import RunRecord, StudyRecord, describe_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tables = Callable[..., dict[str, pd.DataFrame]]
    Read = Callable[[Path], dict[str, Any]]
    Log = Callable[..., str]

INFLUENCE, RANDOM, LOST = NAMES = (
    "quiz.health.influence_in_topic.0.ngdiff.0",
    "quiz.health.random_in_topic.0.ngdiff.0",
    "quiz.global.random_global.0.ngdiff.0",
)
WRITES = ("create_run", "log_artifacts", "log_batch", "set_terminated")
"""Calls that write, each once for the study and once for each run."""
LONG = 1001
"""Points of a curve, more than MLflow takes at a time."""


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def study(study_tables: Tables, study_parameters: dict[str, Any]) -> StudyRecord:
    """Return a study of three runs."""
    return describe_study(study_tables(), study_parameters)


@pytest.fixture
def other(study_tables: Tables, study_parameters: dict[str, Any]) -> StudyRecord:
    """Return the same study but for its first run."""
    return describe_study(study_tables(shift=0.5), study_parameters)


@pytest.fixture
def store(project: Path, store_settings: dict[str, Any]) -> StudyStore:
    """Return a connection."""
    return StudyStore(store_settings, project)


def curve(project: Path, run: Any, name: str) -> list[tuple[int, float]]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    return sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))


def parent_of(runs: dict[str, Any], study: StudyRecord) -> Any:
    return runs[f"study-{study.digest}"]


def test_a_study_is_one_run_and_a_nested_one_for_each_of_its_runs(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read
) -> None:
    run_id = store.log(study)
    runs = read_runs(project)
    parent = parent_of(runs, study)
    assert parent.info.run_id == run_id
    assert set(runs) == {parent.info.run_name, *NAMES}
    assert {runs[name].data.tags["mlflow.parentRunId"] for name in NAMES} == {run_id}
    assert "mlflow.parentRunId" not in parent.data.tags
    assert parent.data.params["unlearning.optimiser.learning_rate"] == "0.0003"
    assert parent.data.metrics == {
        "effects/quiz.health.ngdiff.choice_logprob.influence_minus_random": -0.25,
        "effects/quiz.health.ngdiff.choice_logprob.p": 0.5,
    }


def test_a_failed_run_ends_as_failed_and_a_stopped_one_as_finished(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read
) -> None:
    store.log(study)
    runs = read_runs(project)
    assert [runs[name].info.status for name in NAMES] == ["FINISHED", "FINISHED", "FAILED"]
    assert runs[LOST].data.tags["reason"] == "forget_loss is nan in step 1"
    assert (runs[RANDOM].data.tags["status"], runs[RANDOM].data.tags["reason"]) == ("stopped", "the held-out loss rose")
    assert runs[INFLUENCE].data.tags["checkpoint"] == runs[INFLUENCE].data.params["checkpoint"] == "c0"
    assert parent_of(runs, study).info.status == "FINISHED"


def test_curves_are_logged_by_step(store: StudyStore, project: Path, study: StudyRecord, read_runs: Read) -> None:
    store.log(study)
    run = read_runs(project)[RANDOM]
    assert curve(project, run, "forget_loss") == [(0, 1.0), (2, 5.0)]
    assert curve(project, run, "aligned.choice_logprob") == [(0, -1.0), (2, -5.0)]
    assert curve(project, run, "others.choice_logprob") == [(0, -2.0), (2, -5.0)]
    assert curve(project, run, "step.forget_loss") == [(1, 3.0), (2, 4.0)]


def test_documents_answers_and_tables_are_artifacts(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read
) -> None:
    run_id = store.log(study)
    store.attach(run_id, {"figures/unlearning_figure.html": "<p>curve</p>"})
    runs = read_runs(project)
    own, top = (project / "mlruns" / run.info.run_id / "artifacts" for run in (runs[RANDOM], parent_of(runs, study)))
    assert json.loads((own / "plan.json").read_text())["forget_ids"] == ["f1"]
    assert set(pd.read_parquet(own / "answers.parquet")["run_id"]) == {RANDOM}
    assert len(pd.read_csv(top / "tables/unlearning_effects.csv")) == 8
    assert (top / "figures/unlearning_figure.html").read_text() == "<p>curve</p>"


def test_the_same_study_is_logged_once(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read, caplog: pytest.LogCaptureFixture
) -> None:
    first = store.log(study)
    before = read_runs(project)
    with caplog.at_level(logging.INFO):
        assert store.log(study) == first
    assert caplog.messages[-1] == f"MLflow has this study already: study-{study.digest}"
    after = read_runs(project)
    assert {name: run.to_dictionary() for name, run in after.items()} == {
        name: run.to_dictionary() for name, run in before.items()
    }


def test_runs_that_did_not_change_stay_with_the_study_that_they_were_logged_with(
    store: StudyStore, study: StudyRecord, other: StudyRecord
) -> None:
    first, second = store.log(study), store.log(other)
    runs = store._client.search_runs([store._experiment])
    assert len(runs) == 2 + len(NAMES) + 1
    parents = [run.data.tags["mlflow.parentRunId"] for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert (parents.count(first), parents.count(second)) == (len(NAMES), 1)
    for record in (study, other):
        found = store._client.search_runs([store._experiment], f"tags.studies LIKE '%{record.digest}%'")
        assert {run.info.run_name for run in found} == {*NAMES, f"study-{record.digest}"}
    note = store._client.get_run(second).data.tags["mlflow.note.content"]
    assert note.startswith("3 runs, 1 logged with this study and the others with earlier ones")


@pytest.mark.parametrize("call", range(1, len(WRITES) * (1 + len(NAMES)) + 1))
def test_a_study_whose_logging_was_killed_is_completed(
    store: StudyStore,
    project: Path,
    study: StudyRecord,
    read_runs: Read,
    monkeypatch: pytest.MonkeyPatch,
    call: int,
) -> None:
    """Killed before each call that writes, the store has in the end what it has without a kill."""
    countdown = iter(range(call - 1, -1, -1))

    def until_killed(write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            if next(countdown) == 0:
                raise KilledError
            return write(*args, **named)

        return counted

    with monkeypatch.context() as patched:
        for name in WRITES:
            patched.setattr(store._client, name, until_killed(getattr(store._client, name)))
        with pytest.raises(KilledError):
            store.log(study)
    assert "FINISHED" not in {run.info.status for name, run in read_runs(project).items() if name.startswith("study-")}
    store.log(study)
    runs = read_runs(project)
    assert set(runs) == {f"study-{study.digest}", *NAMES}
    assert [runs[name].info.status for name in NAMES] == ["FINISHED", "FINISHED", "FAILED"]
    assert parent_of(runs, study).info.status == "FINISHED"
    assert curve(project, runs[RANDOM], "forget_loss") == [(0, 1.0), (2, 5.0)]
    assert runs[INFLUENCE].data.params["n_forget"] == "1"
    for name in NAMES:
        assert (project / "mlruns" / runs[name].info.run_id / "artifacts/plan.json").exists()


def test_points_that_were_written_before_a_kill_are_not_doubled(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(store._client, "set_terminated", killed)
        with pytest.raises(KilledError):
            store.log(study)
    assert curve(project, read_runs(project)[INFLUENCE], "aligned.accuracy") == [(0, 0.75), (2, 0.5), (4, 0.5)]
    store.log(study)
    assert curve(project, read_runs(project)[INFLUENCE], "aligned.accuracy") == [(0, 0.75), (2, 0.5), (4, 0.5)]


def test_a_study_that_is_completed_with_other_parameters_keeps_the_first(
    store: StudyStore, project: Path, study: StudyRecord, read_runs: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(store._client, "set_terminated", lambda *_: None)
        store.log(study)
    store.log(replace(study, params={**study.params, "miniature.seed": "7", "worlds": "3"}))
    params = parent_of(read_runs(project), study).data.params
    assert (params["miniature.seed"], params["worlds"]) == ("42", "3")


def test_long_curves_and_values_fit(store: StudyStore, project: Path, read_runs: Read) -> None:
    points = [Point("step.loss", float(step), step) for step in range(LONG)]
    params = {"long": "x" * 7000} | {f"p{place}": "1" for place in range(LONG // 5)}
    store.log(StudyRecord("s", params, [], {}, [RunRecord("r", {"reason": "y" * 9000}, params, points, {}, False)]))
    run = read_runs(project)["r"]
    assert len(curve(project, run, "step.loss")) == LONG
    assert len(run.data.params) == len(params)
    assert run.data.params["long"] == "x" * 5999 + "…"
    assert run.data.tags["reason"] == "y" * 7999 + "…"


def test_names_that_mlflow_refuses_are_mended(store: StudyStore, project: Path, read_runs: Read) -> None:
    points = [Point("acc,none", 1.0, 0), Point("/quiz//../one [two].accuracy", 0.5, 0)]
    store.log(StudyRecord("s", {"a,b": "1"}, points, {}, []))
    run = read_runs(project)["study-s"]
    assert run.data.metrics == {"acc_none": 1.0, "one _two_.accuracy": 0.5}
    assert run.data.params == {"a_b": "1"}


def test_a_database_that_cannot_be_opened_is_asked_once(tmp_path: Path, store_settings: dict[str, Any]) -> None:
    (tmp_path / "mlflow.db").mkdir()
    start = time.perf_counter()
    with pytest.raises(Exception, match="unable to open database file"):
        StudyStore(store_settings, tmp_path)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("name", ["a%20b", "a?b", "a[1]#é"])
def test_a_folder_of_any_name_has_its_own_database(tmp_path: Path, store_settings: dict[str, Any], name: str) -> None:
    StudyStore({**store_settings, "tracking_uri": f"sqlite:///{tmp_path}/{name}/mlflow.db"}, tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.db")] == [f"{name}/mlflow.db"]


def test_artifacts_lie_beside_the_database(
    tmp_path: Path, project: Path, study: StudyRecord, store_settings: dict[str, Any]
) -> None:
    """An absolute path is one, too."""
    elsewhere = {**store_settings, "tracking_uri": f"sqlite:///{project / 'mlflow.db'}"}
    StudyStore(elsewhere, tmp_path / "project").log(study)
    assert (project / "mlruns").is_dir()
    assert not (tmp_path / "project").exists()
