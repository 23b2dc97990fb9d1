"""Record of an unlearning study and of its runs, for an experiment tracker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from social_provenance.fingerprint import digest_of
from social_provenance.forgetting.settings import Unlearning
from social_provenance.forgetting.vocabulary import FAILED, IDS, UNTOUCHED
from social_provenance.hooks.study_curves import Point, effects_of, losses, measured, rows, scores

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

PLAN, BALANCE, RUNS, ANSWERS, EVALUATIONS, TRAJECTORY, HELD_OUT, STEPS, EFFECTS = STUDY_TABLES = (
    "unlearning_plan", "unlearning_balance", "unlearning_runs", "unlearning_answers", "unlearning_evaluations",
    "unlearning_trajectory", "unlearning_heldout", "unlearning_steps", "unlearning_effects",
)  # fmt: skip
"""Tables that a study is described from, by their names in the catalog."""
SHOWN = (BALANCE, RUNS, EVALUATIONS, TRAJECTORY, EFFECTS)
"""Tables that become files of the study; the rows of the others become files of their run."""
PARAMETERS = "unlearning"
"""Block of parameters."""

TAGS = (
    "benchmark", "topic", "scope", "arm", "set", "algorithm", "seed", "status", "last_step", "reason", "digest",
    "checkpoint",
)  # fmt: skip
ENDING = ("run_id", "status", "last_step", "reason")
"""Columns of the runs that are results, not parameters."""
OF_THE_STUDY = (
    "algorithms", "topics", "order_seeds", "random_sets", "global_sets", "forget_documents", "retain_per_topic",
    "matching", "seed", "processes", "effects",
)  # fmt: skip
"""Parameters that define the study as a whole, not a single run."""


@dataclass(frozen=True)
class RunRecord:
    """Record of one run.

    Attributes:
        name: Its ``run_id``.
        tags: Identity of the run, and how it ended.
        params: Parameters of the run.
        points: Points of its curves.
        files: File name -> table, mapping or text.
        failed: Whether a value was not finite.
    """

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: Sequence[Point]
    files: Mapping[str, Any]
    failed: bool

    @cached_property
    def content(self) -> str:
        """Digest of everything except the files, which are determined by plan and checkpoint."""
        points = [[point.name, point.value, point.step] for point in self.points]
        return digest_of(self.name, self.tags, self.params, points)


@dataclass(frozen=True)
class StudyRecord:
    """Record of one study.

    Attributes:
        digest: Digest of its runs and effects; a parameter that changes neither makes no new study.
        params: All parameters of the project.
        points: Effects at equal compute.
        files: File name -> table.
        runs: Records of its runs.
    """

    digest: str
    params: Mapping[str, str]
    points: Sequence[Point]
    files: Mapping[str, Any]
    runs: Sequence[RunRecord]


def describe_study(tables: Mapping[str, pd.DataFrame], parameters: Mapping[str, Any]) -> StudyRecord:
    """Describe a study.

    Args:
        tables: The tables of :data:`STUDY_TABLES`.
        parameters: Parameters of the project. The block ``unlearning`` is a model where a node of the run reads it,
            and plain values where none does, as when only the report is drawn again: both describe one study.
    """
    parameters = {**parameters, PARAMETERS: Unlearning.model_validate(parameters[PARAMETERS])}
    runs, effects = describe_runs(tables, parameters[PARAMETERS]), tables[EFFECTS]
    return StudyRecord(
        digest_of(sorted(run.content for run in runs), effects.to_csv(index=False)),
        flatten(parameters),
        list(effects_of(effects)),
        {table_file(name): tables[name] for name in SHOWN},
        runs,
    )


def describe_runs(tables: Mapping[str, pd.DataFrame], settings: Unlearning) -> list[RunRecord]:
    """Describe every run of a study.

    Args:
        tables: As in :func:`describe_study`.
        settings: Parameters of the study.
    """
    of_runs = {name: tables[name] for name in STUDY_TABLES if "run_id" in tables[name]}
    rows_of = {name: table.groupby("run_id", sort=False).indices for name, table in of_runs.items()}

    def tables_of(run_id: str) -> dict[str, pd.DataFrame]:
        return {name: table.iloc[rows_of[name].get(run_id, [])] for name, table in of_runs.items()}

    untouched = tables_of(UNTOUCHED)[EVALUATIONS]
    return [_describe_run(row, tables_of(row["run_id"]), untouched, settings) for row in rows(tables[RUNS])]


def _describe_run(
    row: Mapping[str, Any], tables_of_run: Mapping[str, pd.DataFrame], untouched: pd.DataFrame, settings: Unlearning
) -> RunRecord:
    import pandas as pd

    algorithm = next(one for one in settings.algorithms if one.name == row["algorithm"])
    params = flatten(settings.model_dump(mode="json", exclude=set(OF_THE_STUDY)))
    params |= flatten(algorithm.model_dump(mode="json", exclude={"name"}), "algorithm")
    params |= {name: str(value) for name, value in row.items() if name not in ENDING}
    evaluations = pd.concat([untouched, tables_of_run[EVALUATIONS]])
    points = [
        *losses(tables_of_run[TRAJECTORY]),
        *scores(evaluations, row["benchmark"]),
        *measured(tables_of_run[STEPS], "step."),
    ]
    files = {
        "plan.json": _document_ids(tables_of_run[PLAN]),
        "answers.parquet": tables_of_run[ANSWERS],
        "heldout.csv": tables_of_run[HELD_OUT],
    }
    tags = {name: str(row[name]) for name in TAGS if name in row}
    return RunRecord(row["run_id"], tags, params, points, files, row["status"] == FAILED)


def _document_ids(plan: pd.DataFrame) -> dict[str, Any]:
    (planned,) = json.loads(plan.to_json(orient="records"))
    return {name: value for name, value in planned.items() if name not in IDS} | {name: planned[name] for name in IDS}


def table_file(name: str) -> str:
    """Return the file of a study's table."""
    return f"tables/{name}.csv"


def figure_file(name: str) -> str:
    """Return the file of a study's figure."""
    return f"figures/{name}.html"


def flatten(value: Any, name: str = "") -> dict[str, str]:
    """Flatten nested parameters to ``block.field``; members of a list with names are keyed by name.

    Args:
        value: Nested mappings, sequences and Pydantic models.
        name: Prefix of every name.
    """
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
        value = {one["name"]: {key: inner for key, inner in one.items() if key != "name"} for one in value}
    if not isinstance(value, Mapping):
        return {name: str(value)}
    flat: dict[str, str] = {}
    for key, inner in value.items():
        flat |= flatten(inner, f"{name}.{key}" if name else str(key))
    return flat


def write_files(files: Mapping[str, Any], folder: Path) -> None:
    """Write files: tables as CSV or Parquet, mappings as JSON, text as it is.

    Args:
        files: File name below the folder -> content.
        folder: Existing folder.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            content.to_parquet(path, index=False)
        elif path.suffix == ".csv":
            content.to_csv(path, index=False)
        elif path.suffix == ".json":
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        else:
            path.write_text(content, encoding="utf-8")
