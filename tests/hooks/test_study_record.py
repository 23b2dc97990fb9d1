"""A record has everything of a run and nothing of another, and its digest follows from that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.forgetting.settings import Unlearning
from social_provenance.hooks.study_record import describe_runs, describe_study, flatten, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tables = Callable[..., dict[str, pd.DataFrame]]

INFLUENCE, RANDOM, LOST = (
    "quiz.health.influence_in_topic.0.ngdiff.0",
    "quiz.health.random_in_topic.0.ngdiff.0",
    "quiz.global.random_global.0.ngdiff.0",
)


@pytest.fixture(scope="module")
def runs(study_tables: Tables, study_parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the records of the study's runs by name."""
    return {run.name: run for run in describe_runs(study_tables(), study_parameters["unlearning"])}


def test_tags_tell_runs_apart_and_say_how_they_ended(runs: dict[str, Any]) -> None:
    assert runs[INFLUENCE].tags == {
        "benchmark": "quiz",
        "topic": "health",
        "scope": "topic",
        "arm": "influence_in_topic",
        "set": "0",
        "algorithm": "ngdiff",
        "seed": "0",
        "status": "done",
        "last_step": "4",
        "digest": "d0",
        "checkpoint": "c0",
    }
    lost = runs[LOST]
    assert lost.failed
    assert lost.tags["reason"] == "forget_loss is nan in step 1"
    assert {"topic", "checkpoint"}.isdisjoint(lost.tags)
    assert (runs[RANDOM].failed, runs[RANDOM].tags["status"]) == (False, "stopped")


def test_a_run_has_the_parameters_that_it_was_run_with(runs: dict[str, Any]) -> None:
    params = runs[INFLUENCE].params
    assert params["optimiser.learning_rate"] == "0.0003"
    assert params["algorithm"] == "ngdiff"
    assert params["algorithm.learning_rate"] == "None"
    assert params["lora"] == "None"
    assert (params["n_forget"], params["forget_tokens"], params["checkpoint"]) == ("1", "100", "c0")
    assert {"random_sets", "processes", "effects.equivalence_margin", "status", "run_id"}.isdisjoint(params)


def test_each_run_has_its_own_curves_from_step_0(runs: dict[str, Any]) -> None:
    for name, last in ((INFLUENCE, 4), (RANDOM, 2), (LOST, 0)):
        steps = sorted(point.step for point in runs[name].points if point.name == "quiz.choice_logprob")
        assert steps == list(range(0, last + 1, 2))
    curve = [(point.step, point.value) for point in runs[RANDOM].points if point.name == "forget_loss"]
    assert curve == [(0, 1.0), (2, 5.0)]
    assert [point.step for point in runs[INFLUENCE].points if point.name == "step.forget_loss"] == [1, 2, 3, 4]
    assert not [point for point in runs[LOST].points if point.name == "step.forget_loss"]


def test_each_run_has_its_documents_and_answers(runs: dict[str, Any]) -> None:
    files = runs[RANDOM].files
    assert files["plan.json"]["forget_ids"] == ["f1"]
    assert files["plan.json"]["retain_ids"] == ["r0", "r1"]
    assert files["plan.json"]["held_out_ids"] == ["h0"]
    for name in ("answers.parquet", "heldout.csv"):
        assert set(files[name]["run_id"]) == {RANDOM}


def test_a_study_is_known_by_its_runs_and_effects(study_tables: Tables, study_parameters: dict[str, Any]) -> None:
    study = describe_study(study_tables(), study_parameters)
    again = study_parameters | {"miniature": {"seed": 1}, "unlearning": Unlearning(steps=4, read_every=2, processes=1)}
    assert describe_study(study_tables(), again).digest == study.digest
    moved = describe_study(study_tables(shift=0.5), study_parameters)
    assert moved.digest != study.digest
    same = [new.content == old.content for new, old in zip(moved.runs, study.runs, strict=True)]
    assert same == [False, True, True]
    tables = study_tables()
    tables["unlearning_effects"]["p"] = 0.25
    judged = describe_study(tables, study_parameters)
    assert judged.digest != study.digest
    assert [run.content for run in judged.runs] == [run.content for run in study.runs]


def test_a_study_has_all_parameters_and_its_tables(study_tables: Tables, study_parameters: dict[str, Any]) -> None:
    study = describe_study(study_tables(), study_parameters)
    assert study.params["miniature.seed"] == "42"
    assert study.params["unlearning.processes"] == "2"
    assert sorted(study.files) == [
        f"tables/unlearning_{name}.csv" for name in ("balance", "effects", "evaluations", "runs", "trajectory")
    ]


def test_parameters_are_flat() -> None:
    nested = {"optimiser": {"clip": 1.0}, "algorithms": [{"name": "npo", "beta": 2.0}], "doses": [1, 2], "none": []}
    assert flatten(nested) == {
        "optimiser.clip": "1.0",
        "algorithms.npo.beta": "2.0",
        "doses": "[1, 2]",
        "none": "[]",
    }


def test_files_can_be_read_again(tmp_path: Path) -> None:
    table = pd.DataFrame({"item": ["a"], "margin": [0.1]})
    write_files({"x/a.csv": table, "a.parquet": table, "a.json": {"ids": ["ä"]}, "a.html": "<p>ä</p>"}, tmp_path)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "x/a.csv"), table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table)
    assert json.loads((tmp_path / "a.json").read_text()) == {"ids": ["ä"]}
    assert (tmp_path / "a.html").read_text() == "<p>ä</p>"


def test_plain_parameters_describe_the_same_study(study_tables: Tables, study_parameters: dict[str, Any]) -> None:
    plain = {**study_parameters, "unlearning": study_parameters["unlearning"].model_dump(mode="json")}
    one, other = (describe_study(study_tables(), parameters) for parameters in (study_parameters, plain))
    assert (one.digest, one.params) == (other.digest, other.params)
