"""A study is tracked when its effects are saved, in whatever order its datasets come, and tracking stops nothing."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from social_provenance.hooks.tracking import TrackingHooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tables = dict[str, pd.DataFrame]
    Read = Callable[[Path], dict[str, Any]]

RUNS = 3
SETS = "unlearning_sets"
FIGURE = "unlearning_figure"


@pytest.fixture
def tables(study_tables: Callable[..., Tables]) -> Tables:
    """Return the tables of a study, and one that is not needed to describe it."""
    return {**study_tables(), SETS: pd.DataFrame({"change": [0.1]})}


@pytest.fixture
def start(
    project: Path, tables: Tables, study_parameters: dict[str, Any], store_settings: dict[str, Any]
) -> Callable[..., TrackingHooks]:
    """Return a function that opens a run whose nodes write the named datasets."""

    def begin(writes: tuple[str, ...] = (*tables,), **settings: Any) -> TrackingHooks:
        there = {**tables, "parameters": study_parameters}
        catalog = DataCatalog({name: MemoryDataset(data) for name, data in there.items()})
        hooks = TrackingHooks()
        hooks.after_context_created(
            SimpleNamespace(config_loader={"mlflow": store_settings | settings}, project_path=project)
        )
        pipeline = Pipeline([Node(lambda: None, [], name, name=f"write_{name}") for name in writes])
        hooks.before_pipeline_run(pipeline, catalog)
        return hooks

    return begin


def artifacts(project: Path, runs: dict[str, Any]) -> set[str]:
    (parent,) = [run for name, run in runs.items() if name.startswith("study-")]
    folder = project / "mlruns" / parent.info.run_id / "artifacts"
    return {path.name for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_study_is_logged_once_in_whatever_order_its_datasets_come(
    start: Callable[..., TrackingHooks], project: Path, tables: Tables, read_runs: Read, backwards: bool
) -> None:
    for _ in range(2):
        hooks = start()
        for name in sorted(tables, reverse=backwards):
            hooks.after_dataset_saved(name, tables[name])
        hooks.after_dataset_saved(FIGURE, go.Figure())
        hooks.after_dataset_saved("unlearning_section", "<section>")
        runs = read_runs(project)
        assert len(runs) == 1 + RUNS
        assert {"unlearning_sets.csv", "unlearning_effects.csv", "unlearning_figure.html"} <= artifacts(project, runs)


def test_a_run_from_the_effects_on_logs_the_whole_study(
    start: Callable[..., TrackingHooks], project: Path, tables: Tables, read_runs: Read
) -> None:
    start(("unlearning_effects", SETS)).after_dataset_saved("unlearning_effects", tables["unlearning_effects"])
    assert len(read_runs(project)) == 1 + RUNS


def test_nothing_is_logged_before_the_effects(
    start: Callable[..., TrackingHooks], project: Path, tables: Tables, read_runs: Read
) -> None:
    hooks = start()
    for name in ("unlearning_runs", "unlearning_answers", SETS, "document_scores"):
        hooks.after_dataset_saved(name, tables.get(name))
    assert read_runs(project) == {}


def test_a_figure_that_is_drawn_anew_joins_its_study(
    start: Callable[..., TrackingHooks], project: Path, tables: Tables, read_runs: Read
) -> None:
    start().after_dataset_saved("unlearning_effects", tables["unlearning_effects"])
    figure = go.Figure(layout={"title": "how the aligned benchmark fell"})
    start((FIGURE,)).after_dataset_saved(FIGURE, figure)
    runs = read_runs(project)
    assert len(runs) == 1 + RUNS
    (page,) = (project / "mlruns").rglob("unlearning_figure.html")
    text = page.read_text()
    assert "how the aligned benchmark fell" in text
    assert "src=" not in text.partition("<body>")[2].partition("</script>")[0]


@pytest.mark.parametrize("broken", ["http", "folder", "scheme", "garbage"])
def test_a_store_that_cannot_be_reached_is_one_warning(
    start: Callable[..., TrackingHooks],
    project: Path,
    tables: Tables,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (project / "garbage.db").write_text("no database " * 1000)
    uri = {
        "http": f"http://127.0.0.1:{port}",
        "folder": f"sqlite:///{project}",
        "scheme": "no-such-store://x",
        "garbage": "sqlite:///garbage.db",
    }[broken]
    began = time.perf_counter()
    hooks = start(tracking_uri=uri)
    with caplog.at_level(logging.WARNING):
        for name, table in tables.items():
            hooks.after_dataset_saved(name, table)
        hooks.after_dataset_saved(FIGURE, go.Figure())
    (message,) = [record.getMessage() for record in caplog.records if "social_provenance" in record.name]
    assert message.startswith("the study is not in MLflow (")
    assert message.endswith("everything else goes on, and the same command with --from-nodes measure_effects logs it")
    assert "\n" not in message
    assert time.perf_counter() - began < 30


def test_after_an_outage_the_study_can_be_logged(
    start: Callable[..., TrackingHooks], project: Path, tables: Tables, read_runs: Read
) -> None:
    for settings in ({"tracking_uri": "no-such-store://x"}, {}):
        start(**settings).after_dataset_saved("unlearning_effects", tables["unlearning_effects"])
    assert len(read_runs(project)) == 1 + RUNS


def test_tracking_that_is_switched_off_imports_no_mlflow() -> None:
    script = """
import sys
from types import SimpleNamespace
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from social_provenance.hooks.tracking import TrackingHooks

hooks = TrackingHooks()
hooks.after_context_created(SimpleNamespace(config_loader={"mlflow": {"enabled": False}}, project_path="."))
hooks.before_pipeline_run(Pipeline([]), DataCatalog())
hooks.after_dataset_saved("unlearning_effects", None)
assert "mlflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
