"""The truth of the miniature world: known to who plants it and who checks it, to nobody who looks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guards.project import is_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from guards.project import Project

TRUTH = "miniature_truth"
INITIATED = ("miniature", "validation", "worlds")
"""Pipelines that may know the truth: they plant it, or hold what was found against it."""

SHOWING = "reporting"
"""Shows what the validation found, at the end of everything."""

GIVEN = {"id", "source", "text", "metadata", "url", "weborganizer", "topic", "format"}
"""Fields of a raw record."""


def truth_readers(project: Project) -> list[str]:
    """Find nodes of other pipelines that read the truth, or the parameters from which it is drawn."""
    return [
        f"{pipeline}: {node.name} reads {name}"
        for pipeline, nodes in project.parts().items()
        if pipeline not in INITIATED
        for node in nodes.nodes
        for name in node.inputs
        if name in (TRUTH, "parameters") or re.match(r"params:miniature\b", name)
    ]


def truth_receivers(project: Project) -> list[str]:
    """Find nodes of other pipelines that read anything made from the truth.

    Reporting may, as long as nobody reads what it writes.
    """
    told = _made_from(project, {TRUTH}, INITIATED)
    shown = {name for node in project.pipelines[SHOWING].nodes for name in node.outputs}
    return [
        f"{pipeline}: {node.name} reads {name}, which is made from {TRUTH}"
        for pipeline, nodes in project.parts().items()
        if pipeline not in INITIATED
        for node in nodes.nodes
        for name in node.inputs
        if not is_parameter(name)
        and ((name in told and pipeline != SHOWING) or (name in shown and pipeline != SHOWING))
    ]


def _made_from(project: Project, sources: set[str], pipelines: Iterable[str]) -> set[str]:
    """Return the sources and everything that nodes of ``pipelines`` make from them."""
    told = set(sources)
    nodes = [node for name in pipelines for node in project.pipelines[name].nodes]
    grown = True
    while grown:
        outputs = {name for node in nodes if told & set(node.inputs) for name in node.outputs}
        grown = not outputs <= told
        told |= outputs
    return told


def truth_named(source: Path) -> list[str]:
    """Find modules of other parts that name the truth table or import the world that it tells of."""
    allowed = [source / "miniature", *(source / "pipelines" / name for name in INITIATED)]
    return [
        f"{path.relative_to(source).as_posix()}: {found.group(0)}"
        for path in sorted(source.rglob("*.py"))
        if not any(path.is_relative_to(folder) for folder in allowed)
        if (found := re.search(r"miniature_truth|social_provenance\.miniature|pipelines\.miniature", path.read_text()))
    ]


def telling_fields(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Find fields of raw records, nested ones too, that documents of the web would not have."""
    return sorted({f"field {name}" for record in records for name in _fields(record) if name not in GIVEN})


def telling_items(items: Mapping[str, Iterable[Mapping[str, Any]]], topics: Iterable[str]) -> list[str]:
    """Find benchmark items that name a topic."""
    return sorted(
        {
            f"{benchmark}: an item names {topic}"
            for benchmark, rows in items.items()
            for row in rows
            for topic in topics
            if re.search(rf"\b{re.escape(topic)}\b", str(row))
        }
    )


def _fields(record: Mapping[str, Any]) -> Iterator[str]:
    for name, value in record.items():
        yield name
        if isinstance(value, dict):
            yield from _fields(value)
