"""Log the path of the report as the last line of a run that wrote it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from kedro.io import DataCatalog

from social_provenance.hooks.announce import AnnounceHooks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    return DataCatalog.from_config({"report": {"type": "text.TextDataset", "filepath": str(tmp_path / "report.html")}})


def run(hooks: AnnounceHooks, catalog: DataCatalog, *saved: str) -> None:
    hooks.before_pipeline_run()
    for name in saved:
        hooks.after_dataset_saved(name)
    hooks.after_pipeline_run(catalog)


def test_a_run_that_wrote_a_report_names_it(
    catalog: DataCatalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run(AnnounceHooks(), catalog, "contrasts", "report")
    (message,) = caplog.messages
    assert str(tmp_path / "report.html") in message


def test_a_run_without_a_report_names_none(catalog: DataCatalog, caplog: pytest.LogCaptureFixture) -> None:
    hooks = AnnounceHooks()
    run(hooks, catalog, "report")
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(hooks, catalog, "contrasts")
    assert caplog.messages == []
