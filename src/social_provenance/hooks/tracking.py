"""The adapter of MLflow: one run for a study, one nested run for each of its unlearning runs."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.fingerprint import digest_of

if TYPE_CHECKING:
    import pandas as pd
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog

logger = logging.getLogger(__name__)

STUDY_TABLES = ("unlearning_runs", "unlearning_evaluations", "unlearning_trajectory", "unlearning_effects")
STUDY_TAG = "study"
SQLITE = "sqlite:///"


class TrackingHooks:
    """Log the unlearning study when its tables are there."""

    def __init__(self) -> None:
        """Start without settings; the context brings them."""
        self._settings: Mapping[str, Any] = {}
        self._project = Path()
        self._parameters: Mapping[str, Any] = {}
        self._tables: dict[str, pd.DataFrame] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read where and whether to track."""
        self._settings = context.config_loader["mlflow"]
        self._project = Path(context.project_path)

    @hook_impl
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Note the parameters of the run."""
        self._parameters = _flatten(catalog.load("parameters"))
        self._tables = {}

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log the study when its last table is saved; a tracker that fails does not stop a run."""
        if not self._settings.get("enabled") or dataset_name not in STUDY_TABLES:
            return
        self._tables[dataset_name] = data
        if len(self._tables) < len(STUDY_TABLES):
            return
        try:
            Tracker(self._settings, self._project).log_study(self._tables, self._parameters)
        except Exception as error:
            logger.warning("the study is not in MLflow (%s: %s); everything else goes on", type(error).__name__, error)


class Tracker:
    """A connection to an MLflow experiment."""

    def __init__(self, settings: Mapping[str, Any], project: Path) -> None:
        """Open or make the experiment.

        Args:
            settings: ``tracking_uri`` and ``experiment``; a relative sqlite file lies below the
                project, and the artifacts beside it.
            project: Project folder.
        """
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        uri, artifacts = str(settings["tracking_uri"]), None
        if uri.startswith(SQLITE):
            path = (project / uri.removeprefix(SQLITE)).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            uri, artifacts = f"{SQLITE}{path}", (path.parent / "mlruns").as_uri()
        self._client = MlflowClient(tracking_uri=uri)
        name = settings["experiment"]
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name, artifacts)

    def log_study(self, tables: Mapping[str, pd.DataFrame], parameters: Mapping[str, Any]) -> None:
        """Log a study under one parent run; a study that is there already is left as it is.

        Args:
            tables: The tables of :data:`STUDY_TABLES`.
            parameters: Flat parameters of the project.
        """
        study = digest_of(sorted(tables["unlearning_runs"]["checkpoint"]), parameters)
        whole = f"tags.{STUDY_TAG} = '{study}' and attributes.status = 'FINISHED'"
        known = self._client.search_runs([self._experiment], whole)
        if known:
            logger.info("MLflow has this study already, as run %s", known[0].info.run_name)
            return
        parent = self._client.create_run(self._experiment, run_name=f"study-{study}", tags={STUDY_TAG: study}).info
        try:
            self._log_parent(parent.run_id, tables, parameters)
            for run in _rows(tables["unlearning_runs"]):
                self._log_run(parent.run_id, run, tables)
        except Exception:
            self._client.set_terminated(parent.run_id, "FAILED")
            raise
        self._client.set_terminated(parent.run_id)
        logger.info("MLflow: %s with %d runs", parent.run_name, len(tables["unlearning_runs"]))

    def _log_parent(self, parent: str, tables: Mapping[str, pd.DataFrame], parameters: Mapping[str, Any]) -> None:
        self._log_params(parent, parameters)
        for effect in _rows(tables["unlearning_effects"]):
            name = f"{effect['benchmark']}.{effect['outcome']}.influence_minus_random"
            self._client.log_metric(parent, name, effect["influence_minus_random"])
        self._log_tables(parent, tables)

    def _log_run(self, parent: str, run: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
        from mlflow.entities import Metric
        from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

        tags = {MLFLOW_PARENT_RUN_ID: parent, "arm": run["arm"], "benchmark": run["benchmark"], "topic": run["topic"]}
        child = self._client.create_run(self._experiment, run_name=run["run_id"], tags=tags).info.run_id
        self._log_params(
            child, {name: value for name, value in run.items() if not name.endswith(("_before", "_after"))}
        )
        now = int(time.time() * 1000)
        curves = _of_run(tables["unlearning_trajectory"], run["run_id"])
        steps = [
            Metric(name, float(row[name]), now, int(row["step"]))
            for row in curves
            for name in row
            if name not in ("run_id", "step")
        ]
        last = int(run["steps"])
        losses = [
            Metric(
                f"{name.rpartition('_')[0]}_whole_set", float(run[name]), now, 0 if name.endswith("before") else last
            )
            for name in run
            if name.endswith(("_before", "_after"))
        ]
        evaluations = _of_run(tables["unlearning_evaluations"], "untouched", 0)
        evaluations += _of_run(tables["unlearning_evaluations"], run["run_id"], last)
        scores = [
            Metric(f"{row['benchmark']}.{name}", float(row[name]), now, row["at"])
            for row in evaluations
            for name in ("accuracy", "gold_logprob", "choice_logprob")
        ]
        self._client.log_batch(child, metrics=steps + losses + scores)
        own = {name: tables[name] for name in STUDY_TABLES if "run_id" in tables[name]}
        self._log_tables(child, {name: table[table["run_id"] == run["run_id"]] for name, table in own.items()})
        self._client.set_terminated(child)

    def _log_params(self, run_id: str, parameters: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        self._client.log_batch(run_id, params=[Param(name, str(value)[:6000]) for name, value in parameters.items()])

    def _log_tables(self, run_id: str, tables: Mapping[str, pd.DataFrame]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, table in tables.items():
                path = Path(folder) / f"{name}.csv"
                table.to_csv(path, index=False)
                self._client.log_artifact(run_id, str(path))


def _of_run(table: pd.DataFrame, run_id: str, at: int | None = None) -> list[dict[str, Any]]:
    own = table[table["run_id"] == run_id]
    return _rows(own if at is None else own.assign(at=at))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _flatten(value: Any, name: str = "") -> dict[str, Any]:
    """Lay nested parameters, typed ones too, out as ``block.field``."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if not isinstance(value, Mapping):
        return {name: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flatten(inner, f"{name}.{key}" if name else str(key))
    return flat
