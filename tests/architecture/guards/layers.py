"""Layers of the picture: every file has one, and they do not go round in a circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guards.project import Project


def without_layer(project: Project) -> list[str]:
    """Find catalog entries that kedro-viz would draw outside of the layers."""
    return [f"{name}: no layer" for name in project.catalog if not _layer(project, name)]


def circular_layers(project: Project) -> list[str]:
    """Find a circle among the layers; kedro-viz then draws none of them."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for node in project.nodes():
        sources = {_layer(project, name) for name in node.inputs if project.entry(name)}
        for target in {_layer(project, name) for name in node.outputs if project.entry(name)}:
            graph.add(target, *(sources - {target}))
    try:
        graph.prepare()
    except CycleError as error:
        return [f"layers in a circle: {' -> '.join(error.args[1])}"]
    return []


def _layer(project: Project, name: str) -> str:
    metadata = (project.entry(name) or {}).get("metadata") or {}
    return str(metadata.get("kedro-viz", {}).get("layer", ""))
