"""Hooks that log an unlearning study as soon as its effects are saved."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.hooks.study_record import (
    EFFECTS,
    STUDY_TABLES,
    describe_study,
    figure_file,
    table_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from social_provenance.hooks.mlflow_store import StudyStore

logger = logging.getLogger(__name__)

PREFIX = "unlearning_"
LATER = "--from-nodes measure_effects"
"""Option of a run that logs a study which is not in MLflow yet."""


class TrackingHooks:
    """Log the unlearning study once its effects are saved; figures and further tables as they are saved."""

    def __init__(self) -> None:
        """Start without settings, which come with the context."""
        self._settings: Mapping[str, Any] = {}
        self._project = Path()
        self._catalog: Any = None
        self._due = False
        self._given_up = False
        self._waiting: dict[str, Any] = {}
        self._logged: tuple[StudyStore, str] | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read where and whether to track."""
        self._settings = context.config_loader["mlflow"]
        self._project = Path(context.project_path)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Keep the catalog, and whether this run computes effects."""
        self._catalog, self._due = catalog, EFFECTS in pipeline.all_outputs()
        self._given_up, self._waiting, self._logged = False, {}, None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log a saved dataset of the study; a tracker that fails causes one warning and stops no run."""
        if not self._settings.get("enabled") or self._given_up or not dataset_name.startswith(PREFIX):
            return
        try:
            self._note(dataset_name, data)
        except Exception as error:
            self._given_up = True
            logger.warning(
                "the study is not in MLflow (%s: %s); everything else goes on, and the same command with %s logs it",
                type(error).__name__,
                str(error).partition("\n")[0],
                LATER,
            )

    def _note(self, name: str, data: Any) -> None:
        """Queue what is saved before the effects; log it with them, and the rest as it is saved."""
        self._waiting |= _files(name, data)
        self._due = self._due and name != EFFECTS
        if not self._due and (self._waiting or name == EFFECTS):
            self._log()

    def _log(self) -> None:
        from social_provenance.hooks.mlflow_store import StudyStore

        if self._logged is None:
            store = StudyStore(self._settings, self._project)
            tables = {name: self._catalog.load(name) for name in STUDY_TABLES}
            self._logged = store, store.log(describe_study(tables, self._catalog.load("parameters")))
        store, run_id = self._logged
        if self._waiting:
            store.attach(run_id, self._waiting)
            self._waiting = {}


def _files(name: str, data: Any) -> dict[str, Any]:
    """Return further files of a study: figures as self-contained pages, and tables that are not in its record."""
    if hasattr(data, "write_html"):
        return {figure_file(name): data.to_html(include_plotlyjs=True)}
    if name not in STUDY_TABLES and hasattr(data, "to_csv"):
        return {table_file(name): data}
    return {}
