"""Hook that logs the path of the report."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from kedro.io import DataCatalog

logger = logging.getLogger(__name__)

REPORT = "report"


class AnnounceHooks:
    """Log the path of the report as the last line of a run that wrote it."""

    def __init__(self) -> None:
        """Start without a report."""
        self._written = False

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forget the report of an earlier run of this process."""
        self._written = False

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Note that the report was written."""
        self._written = self._written or dataset_name == REPORT

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Log the path, if the report was written."""
        if self._written:
            logger.info("the report: %s", catalog[REPORT]._describe()["filepath"])
