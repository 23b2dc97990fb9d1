"""A small unlearning study, and a store that it is tracked in."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.forgetting.settings import Unlearning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDINGS = {
    "done": {"status": "done", "last_step": 4, "reason": None, "checkpoint": "c0"},
    "stopped": {"status": "stopped", "last_step": 2, "reason": "the held-out loss rose", "checkpoint": "c1"},
    "failed": {"status": "failed", "last_step": 0, "reason": "forget_loss is nan in step 1", "checkpoint": None},
}
RUNS = {
    "quiz.health.influence_in_topic.0.ngdiff.0": "done",
    "quiz.health.random_in_topic.0.ngdiff.0": "stopped",
    "quiz.global.random_global.0.ngdiff.0": "failed",
}
SETTINGS = Unlearning(steps=4, read_every=2, processes=2)


def make_tables(shift: float = 0.0, names: tuple[str, ...] = ("quiz", "riddle")) -> dict[str, pd.DataFrame]:
    """Return the tables of a study of three runs, one of each ending; ``shift`` moves the first run."""
    plan, runs, readings, bins, steps, answers, evaluations = [], [], [], [], [], [], []
    for place, (name, ending) in enumerate(RUNS.items()):
        run_id = name.replace("quiz", names[0])
        _, topic, arm, number, algorithm, seed = run_id.rsplit(".", 5)
        row: dict[str, Any] = {
            "run_id": run_id,
            "benchmark": names[0],
            "topic": None if topic == "global" else topic,
            "scope": "global" if topic == "global" else "topic",
            "arm": arm,
            "set": int(number),
            "algorithm": algorithm,
            "seed": int(seed),
            "steps": 4,
            "forget_tokens": 100 + place,
            "digest": f"d{place}",
        }
        ids = {"forget_ids": [f"f{place}"], "retain_ids": ["r0", "r1"], "held_out_ids": ["h0"]}
        plan.append(row | ids)
        runs.append(row | {"n_forget": 1, "n_retain": 2} | ENDINGS[ending])
        rise = place + (shift if place == 0 else 0.0)
        for step in range(0, int(ENDINGS[ending]["last_step"]) + 1, 2):
            at = {"run_id": run_id, "step": step}
            moved = step * (1 + rise)
            readings.append(
                at | {"forget_loss": 1 + moved, "retain_loss": 0.5, "heldout_loss": 2.0, "heldout_rise": moved / 10}
            )
            bins.append(at | {"topic": "health", "format": "blog", "loss": 2.0})
            answers += [at | {"benchmark": name, "item": f"{name}-0", "choice_logprob": -1 - moved} for name in names]
            if step:
                evaluations += [
                    at
                    | {"benchmark": name, "accuracy": 0.5, "gold_logprob": -9.0 - moved, "choice_logprob": -1 - moved}
                    for name in names
                ]
        last = 1 if ending == "failed" else int(ENDINGS[ending]["last_step"])
        steps += [
            {
                "run_id": run_id,
                "step": step,
                "forget_loss": float("nan") if ending == "failed" else 1.0 + step + rise,
                "grad_norm": 0.25,
                "retain_grad_norm": None,
            }
            for step in range(1, last + 1)
        ]
    evaluations += [
        {"run_id": "untouched", "step": 0, "benchmark": name}
        | {"accuracy": 0.75, "gold_logprob": -9.0, "choice_logprob": -1.0 - place}
        for place, name in enumerate(names)
    ]
    balance = [{"benchmark": names[0], "topic": "health", "variable": "length", "standardised_difference": 0.01}]
    effects = [
        {
            "benchmark": names[0],
            "topic": topic,
            "scope": "topic" if topic else "global",
            "algorithm": "ngdiff",
            "outcome": outcome,
            "reading": reading,
            "influence_minus_random": None if topic is None else -0.25 - shift,
            "did": None,
            "did_p": None,
            "p": None if topic is None else 0.5,
            "reason": "no run of random_global is left" if topic is None else None,
        }
        for topic in ("health", None)
        for outcome in ("choice_logprob", "margin")
        for reading in ("equal_compute", "area")
    ]
    tables: dict[str, list[dict[str, Any]]] = {
        "unlearning_plan": plan,
        "unlearning_balance": balance,
        "unlearning_runs": runs,
        "unlearning_answers": answers,
        "unlearning_evaluations": evaluations,
        "unlearning_trajectory": readings,
        "unlearning_heldout": bins,
        "unlearning_steps": steps,
        "unlearning_effects": effects,
    }
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


@pytest.fixture(scope="session")
def study_tables() -> Callable[..., dict[str, pd.DataFrame]]:
    """Return a function that makes the tables of a study."""
    return make_tables


@pytest.fixture(scope="session")
def study_parameters() -> dict[str, Any]:
    """Return the parameters that the study was made with."""
    return {"unlearning": SETTINGS, "miniature": {"seed": 42}, "evaluation": {"benchmarks": ["quiz", "riddle"]}}


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of MLflow without experiments; to make one takes seconds, to copy it nothing."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def project(tmp_path: Path, empty_store: Path) -> Path:
    """Return a project folder with an empty store."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture(scope="session")
def store_settings() -> dict[str, Any]:
    """Return where studies are tracked, as ``mlflow.yml`` says it."""
    return {"enabled": True, "tracking_uri": "sqlite:///mlflow.db", "experiment": "study"}


@pytest.fixture(scope="session")
def read_runs() -> Callable[[Path], dict[str, Any]]:
    """Return a function from a project to all runs in its store, by name; of one name there is one."""
    from mlflow import MlflowClient

    def read(project: Path) -> dict[str, Any]:
        client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("study")
        runs = client.search_runs([experiment.experiment_id]) if experiment else []
        named = {run.info.run_name: run for run in runs}
        assert len(named) == len(runs)
        return named

    return read
