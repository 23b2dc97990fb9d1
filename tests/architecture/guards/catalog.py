"""Datasets: none in memory by accident, none without a reader or writer, every table with a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guards.project import is_parameter
from social_provenance.pipeline_registry import SMALL_WORLD

if TYPE_CHECKING:
    from guards.project import Project

TABLES = (
    "pandas.ParquetDataset",
    "social_provenance.datasets.RecordFolder",
    "social_provenance.datasets.TableFile",
)
"""Dataset types that hold a table."""

OPTIONAL = "social_provenance.datasets.OptionalDataset"
BROUGHT = {"raw_documents", "benchmark_items", "language_model"}
"""What a study of one's own brings with it."""

LEDGER = "lineage"
"""Written by a hook, so a run without a report has no node that uses it."""


def accidental_memory(project: Project) -> list[str]:
    """Find inputs and outputs of nodes that no catalog entry keeps."""
    return [
        f"{node.name}: {name} has no catalog entry, so it would be in memory"
        for node in project.nodes()
        for name in [*node.inputs, *node.outputs]
        if not is_parameter(name) and project.entry(name) is None
    ]


def loose_ends(project: Project) -> list[str]:
    """Find datasets that a pattern keeps and that no node writes or no node reads.

    A pattern keeps any name that fits, a misspelled one too.
    """
    nodes = project.nodes()
    written, read = ({name for node in nodes for name in getattr(node, side)} for side in ("outputs", "inputs"))
    return [
        f"{name}: pattern {pattern} keeps it, and no node {'reads' if name in written else 'writes'} it"
        for name in sorted(written ^ read)
        if (pattern := project.pattern_of(name)) is not None
    ]


def dead_entries(project: Project) -> list[str]:
    """Find catalog entries that no node reads or writes."""
    used = {name for node in project.nodes() for name in [*node.inputs, *node.outputs]}
    used |= {project.pattern_of(name) or name for name in used}
    return [f"{name}: no node reads or writes it" for name in project.catalog if name not in used | {LEDGER}]


def tables_without_schema(project: Project) -> list[str]:
    """Find persisted tables without a ``validator``; one view of a dataset (``@``) may carry it for all."""
    checked = {name.split("@")[0] for name, entry in project.catalog.items() if "validator" in entry}
    return [
        f"{name}: a table without a validator"
        for name, entry in project.catalog.items()
        if _holds_table(entry) and name.split("@")[0] not in checked
    ]


def needed_from_small_world(project: Project) -> list[str]:
    """Find what a study on other data would have to get from the small world and cannot do without."""
    made = {name for part in SMALL_WORLD for name in project.pipelines[part].all_outputs()} - BROUGHT
    return [
        f"provenance reads {name}, which only the small world makes: it has to be an {OPTIONAL.rpartition('.')[2]}"
        for name in sorted(project.pipelines["provenance"].inputs() & made)
        if (project.entry(name) or {}).get("type") != OPTIONAL
    ]


def _holds_table(entry: dict[str, Any]) -> bool:
    inner = entry.get("dataset")
    return entry["type"] in TABLES or (isinstance(inner, dict) and inner.get("type") in TABLES)
