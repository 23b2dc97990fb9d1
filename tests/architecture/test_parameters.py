"""Every parameter is read by a node, checked by a model, and explained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel, Field

from guards.parameters import (
    dead_parameters,
    loose_models,
    parameter_models,
    refused_parameters,
    unchecked_blocks,
    undocumented_fields,
    unresolved_annotations,
    unused_fields,
)
from guards.project import SOURCE, Project, environments, read_project
from social_provenance.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Loose(BaseModel):
    size: int = 1
    """In documents."""
    unread_by_anybody: Annotated[int, Field(ge=0)] = 0


class Tight(Parameters):
    inner: Loose | None = None
    """Of another."""


def measure(documents: object, params: Tight) -> object:
    return documents, params


def unresolvable(documents: Nowhere, params: Tight) -> object:  # type: ignore[name-defined]  # noqa: F821
    return documents, params


def with_node(project: Project, function: Callable[..., object], parameters: dict[str, Any]) -> Project:
    """Return the project with one pipeline of one node that reads ``params:measure``."""
    node = Node(function, ["documents", "params:measure"], "measured", name=function.__name__)
    return replace(project, pipelines={"corpus": Pipeline([node])}, parameters=parameters)


@pytest.mark.parametrize("env", environments())
def test_every_parameter_is_read(env: str) -> None:
    assert dead_parameters(read_project(env=env)) == []


def test_a_dead_block_is_found(conf: Path, project: Project, append: Callable[[Path, str], None]) -> None:
    append(conf / "base" / "parameters_corpus.yml", "\ndocumants: {min_chars: 50}\n")
    found = dead_parameters(read_project(conf, pipelines=project.pipelines))
    assert found == ["params:documants: no node reads it"]


def test_a_dead_field_of_a_block_that_is_read_by_fields_is_found(project: Project) -> None:
    nodes = Pipeline([Node(measure, ["documents", "params:words.count"], "measured", name="measure")])
    crafted = replace(project, pipelines={"corpus": nodes}, parameters={"words": {"count": 1, "cuont": 2}})
    assert dead_parameters(crafted) == ["params:words.cuont: no node reads it"]


@pytest.mark.parametrize("env", environments())
def test_every_block_is_checked_and_accepted(env: str) -> None:
    project = read_project(env=env)
    assert unchecked_blocks(project) == []
    assert refused_parameters(project) == []


def test_an_unknown_field_is_found(conf: Path, project: Project) -> None:
    path = conf / "base" / "parameters_corpus.yml"
    path.write_text(path.read_text().replace("min_chars:", "min_characters:"))
    (found,) = refused_parameters(read_project(conf, pipelines=project.pipelines))
    assert "Parameter 'documents'" in found
    assert "min_characters" in found


def test_a_value_out_of_range_is_found(conf: Path, project: Project) -> None:
    path = conf / "test" / "parameters.yml"
    path.write_text(path.read_text() + "\nlabelling: {reliability_bins: 1}\n")
    (found,) = refused_parameters(read_project(conf, "test", project.pipelines))
    assert "Parameter 'labelling'" in found
    assert "input_value=1" in found


def test_annotations_of_nodes_are_there_at_run_time(project: Project) -> None:
    assert unresolved_annotations(project) == []


def test_an_annotation_that_cannot_be_resolved_is_found(project: Project) -> None:
    parameters = {"measure": {"inner": None}}
    resolved, unresolved = (with_node(project, function, parameters) for function in (measure, unresolvable))
    assert unresolved_annotations(resolved) == []
    assert unresolved_annotations(unresolved) == [
        "unresolvable: name 'Nowhere' is not defined, so Kedro checks no parameter of it"
    ]
    assert unchecked_blocks(resolved) == []
    found = unchecked_blocks(unresolved)
    assert found == ["params:measure: no node takes it as a Pydantic model, so nothing checks it"]


def test_models_are_frozen_closed_and_strict(project: Project) -> None:
    assert loose_models(project) == []


def test_a_loose_model_below_a_tight_one_is_found(project: Project) -> None:
    found = loose_models(with_node(project, measure, {}))
    assert found == [
        "Loose: accepts unknown fields",
        "Loose: can be changed after it was checked",
        "Loose: converts values, as it is no Parameters",
    ]


def test_every_field_is_used(project: Project) -> None:
    assert unused_fields(project, SOURCE) == []


def test_an_unused_field_is_found(project: Project) -> None:
    found = unused_fields(with_node(project, measure, {}), SOURCE)
    assert "Loose.unread_by_anybody: no code reads it" in found


def test_every_field_is_explained(project: Project) -> None:
    assert undocumented_fields(parameter_models(project)) == []


def test_a_field_without_a_sentence_is_found() -> None:
    assert undocumented_fields({Loose, Tight}) == ["Loose.unread_by_anybody: no sentence below it"]
