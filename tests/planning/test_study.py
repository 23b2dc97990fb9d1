"""The parameters of a study: blocks are plain values, or models where a node of the run has read them."""

from __future__ import annotations

from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from social_provenance.forgetting.settings import Unlearning
from social_provenance.planning.study import Study

PROJECT = Path(__file__).resolve().parents[2]


def test_blocks_of_plain_values_and_of_models_are_one_study() -> None:
    bootstrap_project(PROJECT)
    with KedroSession.create(PROJECT, env="test") as session:
        parameters = session.load_context().config_loader["parameters"]
    plain = Study.of(parameters)
    typed = Study.of({**parameters, "unlearning": Unlearning.model_validate(parameters["unlearning"])})
    assert plain == typed
    assert plain.per_bin == parameters["working_set"]["per_bin"]
    assert list(plain.nulls) == list(parameters["attribution"]["nulls"])
