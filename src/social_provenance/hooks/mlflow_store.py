"""The adapter of MLflow: one run for a study, one nested run for each of its unlearning runs."""

from __future__ import annotations

import logging
import os
import posixpath
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.hooks.study_record import write_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlflow.entities import Metric, Param, Run

    from social_provenance.hooks.study_curves import Point
    from social_provenance.hooks.study_record import RunRecord, StudyRecord

logger = logging.getLogger(__name__)

SQLITE = "sqlite:///"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""Short timeouts, because MLflow retries an unreachable server for minutes; the environment takes precedence."""

STUDY, CONTENT, STUDIES = "study", "content", "studies"
"""Tags: digest of a study on its own run, digest of a run, and the studies that a run belongs to."""
PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
"""Tags that MLflow's user interface reads."""
FINISHED, FAILED = "FINISHED", "FAILED"
LONGEST_NAME, LONGEST_PARAM, LONGEST_TAG = 250, 6000, 8000
"""Upper bounds of MLflow, characters."""


class StudyStore:
    """A connection to an MLflow experiment."""

    def __init__(self, settings: Mapping[str, Any], project: Path) -> None:
        """Open or create the experiment.

        Args:
            settings: ``tracking_uri`` and ``experiment``; a relative SQLite file is below the
                project folder, with the artifacts beside it.
            project: Project folder.
        """
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        uri, artifacts = str(settings["tracking_uri"]), None
        if uri.startswith(SQLITE):
            path = (project / uri.removeprefix(SQLITE)).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            # In an address, % and ? are not themselves: unquoted, the database of another folder would be opened.
            uri, artifacts = (
                f"{SQLITE}{str(path).replace('%', '%25').replace('?', '%3F')}",
                (path.parent / "mlruns").as_uri(),
            )
        _reach(uri)
        self._client = MlflowClient(tracking_uri=uri)
        name = settings["experiment"]
        experiment = self._client.get_experiment_by_name(name)
        self._experiment = experiment.experiment_id if experiment else self._client.create_experiment(name, artifacts)

    def log(self, study: StudyRecord) -> str:
        """Log the parts of a study that are not logged yet.

        A complete study is left unchanged; one whose logging was interrupted is completed. A run that is already
        logged, with any study, is not logged again: it gets the study's digest in its tag ``studies``.

        Args:
            study: Study with its runs.

        Returns:
            MLflow id of the study's run.
        """
        logged = self._find(STUDY, study.digest)
        if logged and logged.info.status == FINISHED:
            logger.info("MLflow has this study already: %s", logged.info.run_name)
            return str(logged.info.run_id)
        tags = {STUDY: study.digest, STUDIES: study.digest}
        parent = logged or self._create(f"study-{study.digest}", tags)
        new = sum(self._log_run(parent.info.run_id, study.digest, run) for run in study.runs)
        note = (
            f"{len(study.runs)} runs, {new} logged with this study and the others with earlier ones. "
            f"All of them: `tags.{STUDIES} LIKE '%{study.digest}%'`"
        )
        self._fill(parent, study)
        self._client.set_tag(parent.info.run_id, NOTE, note)
        self._client.set_terminated(parent.info.run_id)
        logger.info("MLflow: %s, %d runs of %d are new", parent.info.run_name, new, len(study.runs))
        return str(parent.info.run_id)

    def attach(self, run_id: str, files: Mapping[str, Any]) -> None:
        """Write files into the artifacts of a run, replacing those of the same name.

        Args:
            run_id: MLflow id of the run.
            files: As in :func:`social_provenance.hooks.study_record.write_files`.
        """
        with tempfile.TemporaryDirectory() as folder:
            write_files(files, Path(folder))
            self._client.log_artifacts(run_id, folder)

    def _log_run(self, parent: str, study: str, record: RunRecord) -> bool:
        """Log a run unless it is logged already; return whether it is new."""
        logged = self._find(CONTENT, record.content)
        studies = logged.data.tags.get(STUDIES, "").split() if logged else []
        if logged and logged.info.status in (FINISHED, FAILED):
            if study not in studies:
                self._client.set_tag(logged.info.run_id, STUDIES, f"{' '.join(studies)} {study}")
            return bool(logged.data.tags.get(PARENT) == parent)
        run = logged
        if run is None:
            tags = {PARENT: parent, STUDIES: study, CONTENT: record.content, **record.tags}
            run = self._create(record.name, tags)
        self._fill(run, record)
        self._client.set_terminated(run.info.run_id, FAILED if record.failed else FINISHED)
        return True

    def _create(self, name: str, tags: Mapping[str, str]) -> Run:
        cut = {tag: _cut(value, LONGEST_TAG) for tag, value in tags.items()}
        return self._client.create_run(self._experiment, run_name=name, tags=cut)

    def _fill(self, run: Run, record: StudyRecord | RunRecord) -> None:
        """Write files, metrics and parameters of a run; parameters that it already has are skipped."""
        self.attach(run.info.run_id, record.files)
        params = {name: value for name, value in record.params.items() if _name(name) not in run.data.params}
        self._client.log_batch(
            run.info.run_id,
            metrics=_metrics(record.points, run.info.start_time),
            params=_params(params),
        )

    def _find(self, tag: str, digest: str) -> Run | None:
        runs = self._client.search_runs([self._experiment], f"tags.{tag} = '{digest}'", max_results=1)
        return runs[0] if runs else None


def _reach(uri: str) -> None:
    """Connect to a database once, because MLflow retries an unreachable one for minutes."""
    if uri.startswith(DATABASES):
        import sqlalchemy
        from mlflow.store.db.utils import create_sqlalchemy_engine

        engine = create_sqlalchemy_engine(uri)
        sqlalchemy.inspect(engine)
        engine.dispose()


def _metrics(points: Iterable[Point], start: int) -> list[Metric]:
    """Return points as MLflow metrics with one timestamp, so that logging them again changes nothing."""
    from mlflow.entities import Metric

    return [Metric(_name(point.name), point.value, start, point.step) for point in points]


def _params(params: Mapping[str, str]) -> list[Param]:
    from mlflow.entities import Param

    return [Param(_name(name), _cut(value, LONGEST_PARAM)) for name, value in params.items()]


def _name(text: str) -> str:
    """Return a name that MLflow accepts: without commas and brackets, and no path out of its folder."""
    return posixpath.normpath(re.sub(r"[^\w.\-/ :]", "_", text)).lstrip("./")[:LONGEST_NAME]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
