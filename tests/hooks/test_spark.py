"""A session is started where the environment asks for one, and what is missing is named."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from social_provenance.errors import SettingsError
from social_provenance.hooks import spark
from social_provenance.hooks.spark import SparkHooks, start_session


@pytest.mark.parametrize(
    ("settings", "started"), [(None, []), ({"spark.master": "local"}, [{"spark.master": "local"}])]
)
def test_a_session_is_started_where_settings_are(
    monkeypatch: pytest.MonkeyPatch, settings: Any, started: list[Any]
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(spark, "start_session", asked.append)
    hooks = SparkHooks()
    hooks.after_context_created(SimpleNamespace(config_loader={"engines": {"offline": True, "spark": settings}}))  # type: ignore[arg-type]
    hooks.before_pipeline_run()
    assert asked == started


def test_without_pyspark_the_fix_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(SettingsError, match="needs pyspark: run `uv sync --extra spark`"):
        start_session({})
