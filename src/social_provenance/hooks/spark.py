"""Hook that starts the Spark session of an environment with tables on Spark."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.context import KedroContext


class SparkHooks:
    """Start a session with the static settings of ``engines.yml``, which a catalog entry cannot set."""

    def __init__(self) -> None:
        """Start without settings."""
        self._settings: Mapping[str, Any] | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read the settings; an environment without Spark has none."""
        self._settings = context.config_loader["engines"].get("spark")

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Start the session, or reuse an existing one."""
        if self._settings is not None:
            start_session(self._settings)


def start_session(settings: Mapping[str, Any]) -> Any:
    """Return a Spark session whose Python workers use this interpreter.

    Raises:
        SettingsError: If pyspark or Java is missing.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SettingsError("conf/spark needs pyspark: run `uv sync --extra spark`") from error
    builder = SparkSession.builder.appName("social-provenance")
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkRuntimeError, FileNotFoundError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"Spark does not start ({reason}): put Java 17 on PATH or in JAVA_HOME") from error
