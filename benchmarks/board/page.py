"""The leaderboard as a Markdown page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEASURES = {
    "lds_value": "LDS over halves, by value",
    "lds_rank": "LDS over halves, by rank",
    "ceiling_value": "noise ceiling, by value",
    "lds_single": "LDS, single topics",
    "lds_single_planted": "planted alone",
    "lds_single_decoy": "decoys alone",
    "lds_single_other": "others alone",
    "qld": "QLD, nats per item",
    "topic_auc": "topic AUC",
    "decoy_auc": "decoy AUC",
    "sign": "decoys below others",
    "own_rank": "own-document rank",
    "cost": "cost, s",
}
"""Measure -> heading of its column, in this order."""


def write_page(report: Mapping[str, Any]) -> str:
    """Return the page of a report of ``leaderboard.py``: a table over all worlds, then one for each world."""
    lines = ["# Leaderboard", "", *_explain(report)]
    worlds = ["all", *report["worlds"]] if len(report["worlds"]) > 1 else report["worlds"]
    for world in worlds:
        heading = "All worlds" if world == "all" else f"World {world}"
        lines += ["", f"## {heading}", "", *_table([row for row in report["rows"] if row["world"] == world])]
        lines += _effects(report.get("effects", {}).get(world, {}))
    return "\n".join(lines) + "\n"


def _effects(effects: Mapping[str, Any]) -> list[str]:
    """Return what is said of the effects of leaving out topics by role."""
    lines = []
    if effects.get("one"):
        listed = ", ".join(f"{role} {_number(value)}" for role, value in effects["one"].items())
        lines += ["", f"Mean effect of leaving out one topic, nats per item: {listed}."]
    for role, own in effects.get("all", {}).items():
        listed = ", ".join(f"`{benchmark}` {_number(value)}" for benchmark, value in own.items())
        lines += ["", f"Effect on a benchmark of leaving out all its topics that are {role}, nats per item: {listed}."]
    return lines


def _explain(report: Mapping[str, Any]) -> list[str]:
    failed = [f"- {name}: {reason}" for name, reason in report["failed"].items()]
    counted = f"{len(report['worlds'])} worlds judged, {len(failed)} left out because they failed"
    said = [
        f"{counted}. Mean and 95% t interval: of a world over the seeds of its model, of all worlds over their means.",
        f"The judge is retraining ({report['halves']} halves, {len(report['retraining_seeds'])} seeds, outcome "
        f"`{report['outcome']}`). LDS is the correlation of predicted with measured effects.",
    ]
    if report["top"]:
        said.append(f"QLD is the rise of a benchmark's loss without the {report['top']} top topics of a method.")
    return [*said, *([""] if failed else []), *failed]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [name for name in MEASURES if any(row["measure"] == name and row["n"] for row in rows)]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = {(row["method"], row["measure"]): _cell(row) for row in rows}
    order = next((name for name in ("lds_value", "topic_auc") if name in shown), None)
    means = {row["method"]: row["mean"] for row in rows if row["measure"] == order}
    methods.sort(key=lambda name: -_finite(means.get(name)))
    head = ["method", *(MEASURES[name] for name in shown)]
    body = [[f"`{method}`", *(cells.get((method, name), "–") for name in shown)] for method in methods]
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *body)]


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else -math.inf


def _cell(row: Mapping[str, Any]) -> str:
    if not row["n"]:
        return "–"
    bounds = "" if row["low"] is None or math.isnan(row["low"]) else f" [{_number(row['low'])}, {_number(row['high'])}]"
    return _number(row["mean"]) + bounds


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
