"""The seam between the catalog and the code is typed, more so with every change."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Node, Pipeline

from guards.types import CEILING, untyped_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from guards.project import Project
    from social_provenance.annotations import LazyTable, Record, Table


def bare(table: Any) -> Any:
    return table


def nested(table: dict[str, Any] | None) -> Any:
    return table


def missing(table) -> Any:  # type: ignore[no-untyped-def]
    return table


def aliased(table: Table, lazy: LazyTable, record: Record) -> Any:
    return table, lazy, record


def crafted(project: Project, function: Callable[..., Any], inputs: int = 1) -> Project:
    node = Node(function, [f"table_{number}" for number in range(inputs)], "found", name="crafted")
    return replace(project, pipelines={"crafted": Pipeline([node])})


def test_any_only_becomes_rarer(project: Project) -> None:
    assert len(untyped_parameters(project)) <= CEILING


def test_the_ceiling_falls_with_the_number(project: Project) -> None:
    assert len(untyped_parameters(project)) >= CEILING, "lower CEILING to the number of parameters that are left"


@pytest.mark.parametrize("function", [bare, nested, missing])
def test_a_parameter_without_a_type_is_found(project: Project, function: Callable[..., Any]) -> None:
    assert untyped_parameters(crafted(project, function)) == [f"{__name__}.{function.__name__}: table"]
    assert len(untyped_parameters(crafted(project, partial(function)))) == 1


def test_an_alias_is_a_type(project: Project) -> None:
    assert untyped_parameters(crafted(project, aliased, inputs=3)) == []


def test_a_function_of_several_nodes_counts_once(project: Project) -> None:
    nodes = [Node(bare, name, f"{name}_out", name=name) for name in ("one", "other")]
    assert len(untyped_parameters(replace(project, pipelines={"crafted": Pipeline(nodes)}))) == 1
