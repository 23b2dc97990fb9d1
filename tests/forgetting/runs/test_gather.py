"""What runs left behind, joined: one row a run, a reading, a step; the untouched model once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.runs.gather import StudyTables, gather_tables
from social_provenance.forgetting.runs.run import ANSWERS, HELD_OUT, STEPS, SUMMARY, TRAJECTORY
from social_provenance.forgetting.vocabulary import UNTOUCHED
from social_provenance.schemas import unlearning

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = {
    "runs": unlearning.UnlearningRuns,
    "trajectory": unlearning.UnlearningTrajectory,
    "held_out": unlearning.UnlearningHeldOut,
    "steps": unlearning.UnlearningSteps,
    "answers": unlearning.UnlearningAnswers,
    "evaluations": unlearning.UnlearningEvaluations,
}


def _answers(step: int, fall: float) -> pd.DataFrame:
    rows = [
        {"step": step, "benchmark": benchmark, "item": f"{benchmark}/{item}", "cluster": f"{benchmark}/{item}"}
        | {"normalisation": "none"}
        | {"correct": item == 0, "gold_logprob": -1.0 - item - fall, "margin": 0.5, "choice_logprob": -0.5 - fall}
        for benchmark in ("social", "stem")
        for item in (0, 1)
    ]
    return pd.DataFrame(rows)


def _write(folder: Path, steps: list[int], fall: float, **ended: Any) -> Path:
    folder.mkdir()
    answers = [_answers(step, fall * step) for step in steps]
    pd.concat(answers).reset_index(drop=True).to_parquet(folder / ANSWERS)
    losses = {"forget_loss": 1.0, "retain_loss": 2.0, "heldout_loss": 3.0, "heldout_rise": 0.0}
    losses |= {"forget_loss_se": 0.0, "retain_loss_se": 0.01}
    pd.DataFrame([{"step": step, **losses} for step in steps]).to_parquet(folder / TRAJECTORY)
    held = {"topic": "games", "format": "faq", "loss": 3.0}
    pd.DataFrame([{"step": step, **held} for step in steps]).to_parquet(folder / HELD_OUT)
    pd.DataFrame({"step": [1, 2], "forget_loss": [1.0, 1.1], "grad_norm": [0.5, 0.6]}).to_parquet(folder / STEPS)
    summary = {"status": "done", "last_step": max(steps), "reason": None, "checkpoint": "c0"}
    (folder / SUMMARY).write_text(json.dumps(summary | ended))
    return folder


@pytest.fixture
def folders(plan: pd.DataFrame, tmp_path: Path) -> dict[str, Path]:
    """Return the folders of two runs, in another order than the plan's; the second failed after step 2."""
    first, second = plan["run_id"]
    failed = {"status": "failed", "reason": "forget_loss is nan in step 3", "checkpoint": None}
    return {
        second: _write(tmp_path / "b", [0, 2], 0.3, **failed),
        first: _write(tmp_path / "a", [0, 2, 4], 0.1),
    }


@pytest.fixture
def tables(plan: pd.DataFrame, folders: dict[str, Path]) -> StudyTables:
    return gather_tables(plan, folders)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_table_keeps_to_its_schema(tables: StudyTables, name: str) -> None:
    SCHEMAS[name].validate(getattr(tables, name), lazy=True)


def test_a_run_is_a_row_of_the_plan_and_how_it_ended(tables: StudyTables, plan: pd.DataFrame) -> None:
    assert tables.runs["run_id"].tolist() == plan["run_id"].tolist()
    assert not {"forget_ids", "retain_ids", "held_out_ids"} & set(tables.runs)
    assert tables.runs[["n_forget", "n_retain"]].to_numpy().tolist() == [[2, 3], [2, 3]]
    assert tables.runs["status"].tolist() == ["done", "failed"]
    assert tables.runs["last_step"].tolist() == [4, 2]
    assert tables.runs["checkpoint"].isna().tolist() == [False, True]


def test_every_reading_and_every_step_of_every_run_is_there(tables: StudyTables, plan: pd.DataFrame) -> None:
    first, second = plan["run_id"]
    expected = [(first, 0), (first, 2), (first, 4), (second, 0), (second, 2)]
    for table in (tables.trajectory, tables.held_out, tables.answers.drop_duplicates(["run_id", "step"])):
        assert list(zip(table["run_id"], table["step"], strict=True)) == expected
    assert len(tables.answers) == 5 * 4
    assert len(tables.steps) == 2 * 2


def test_the_untouched_model_is_evaluated_once_and_every_later_reading(tables: StudyTables, plan: pd.DataFrame) -> None:
    first, second = plan["run_id"]
    assert set(tables.evaluations["normalisation"]) == {"none"}
    own = tables.evaluations.drop(columns="normalisation").set_index(["run_id", "step", "benchmark"])
    assert set(own.index.droplevel("benchmark")) == {(UNTOUCHED, 0), (first, 2), (first, 4), (second, 2)}
    assert own.loc[(UNTOUCHED, 0, "social")].tolist() == [0.5, -1.5, -0.5]
    assert own.loc[(first, 4, "stem")].tolist() == pytest.approx([0.5, -1.9, -0.9])
    assert own.loc[(second, 2, "social")].tolist() == pytest.approx([0.5, -2.1, -1.1])


def test_runs_without_held_out_documents_have_no_such_rows(plan: pd.DataFrame, folders: dict[str, Path]) -> None:
    for folder in folders.values():
        held = pd.read_parquet(folder / HELD_OUT)
        held.head(0).to_parquet(folder / HELD_OUT)
        losses = pd.read_parquet(folder / TRAJECTORY)
        losses.assign(heldout_loss=float("nan"), heldout_rise=float("nan")).to_parquet(folder / TRAJECTORY)
    tables = gather_tables(plan, folders)
    assert tables.held_out.empty
    for name in ("held_out", "trajectory"):
        SCHEMAS[name].validate(getattr(tables, name), lazy=True)


def test_a_run_that_is_not_done_is_named(plan: pd.DataFrame, folders: dict[str, Path]) -> None:
    absent = plan["run_id"][1]
    del folders[absent]
    said = rf"run {absent} \(and 0 more\) is not done: run the unlearning pipeline from its start"
    with pytest.raises(UnlearningError, match=said):
        gather_tables(plan, folders)


def test_runs_that_did_not_end_are_counted_and_the_first_is_named(
    plan: pd.DataFrame, folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    gather_tables(plan, folders, 0.5)
    (said,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "1 of 2 unlearning runs did not come to their end" in said
    assert f"the first, {plan['run_id'][1]}, is failed: forget_loss is nan in step 3" in said
    with pytest.raises(UnlearningError, match=r"1 of 2 unlearning runs .* nan in step 3; lower .*learning_rate"):
        gather_tables(plan, folders, 0.49)


def test_runs_that_ended_well_are_no_warning(
    plan: pd.DataFrame, folders: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gather_tables(plan, {**folders, plan["run_id"][1]: _write(tmp_path / "c", [0, 2, 4], 0.1)}, 0.0)
    assert not caplog.records
