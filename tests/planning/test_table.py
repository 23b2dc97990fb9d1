"""Rows of a plan: the same columns for each stage, and a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.planning.costs import estimate_costs
from social_provenance.planning.stages import STAGES
from social_provenance.planning.table import COLUMNS, describe, tabulate

if TYPE_CHECKING:
    from social_provenance.planning.found import Found

ALL = [stage.pipeline for stage in STAGES]


def test_a_row_has_every_column_and_a_line(found: Found) -> None:
    costs = estimate_costs(found, ALL)
    rows = tabulate(costs, found.study, 10**9, {"walk": 5 * 10**9}, gpu=True)
    assert all(list(row) == list(COLUMNS) for row in rows)
    walk = next(row for row in rows if row["stage"] == "walk")
    assert (walk["gpu_hours"], walk["gpu_gigabytes"]) == (walk["hours"], 5.0)
    assert all("\n" not in describe(row) for row in rows)
    report = next(row for row in rows if row["stage"] == "report")
    assert (report["gpu_hours"], report["gpu_gigabytes"]) == (0.0, 0.0)
    on_cpu = tabulate(costs, found.study, 10**9, {}, gpu=False)
    assert all(row["gpu_hours"] == 0 for row in on_cpu)
    assert "time not known" in describe({**walk, "hours": None})
