"""The picture of the lineage has its layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guards.layers import circular_layers, without_layer

if TYPE_CHECKING:
    from guards.project import Project


def in_layer(project: Project, name: str, layer: str | None) -> Project:
    metadata = {"kedro-viz": {"layer": layer}} if layer else None
    return replace(project, catalog={**project.catalog, name: {**project.catalog[name], "metadata": metadata}})


def test_every_entry_has_a_layer(project: Project) -> None:
    assert without_layer(project) == []


def test_an_entry_without_a_layer_is_found(project: Project) -> None:
    assert without_layer(in_layer(project, "contrasts", None)) == ["contrasts: no layer"]


def test_the_layer_of_a_pattern_is_that_of_what_it_keeps(project: Project) -> None:
    found = circular_layers(in_layer(project, "{name}_figure", "raw"))
    assert any("raw" in circle for circle in found)


def test_layers_do_not_go_round(project: Project) -> None:
    assert circular_layers(project) == []


def test_layers_that_go_round_are_found(project: Project) -> None:
    (found,) = circular_layers(in_layer(project, "topic_influence", "reporting"))
    assert "reporting" in found
    assert "unlearning" in found
