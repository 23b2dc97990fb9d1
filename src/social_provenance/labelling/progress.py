"""Progress of labelling: share done, rate, remaining time."""

from __future__ import annotations

import logging
import time
from typing import Any, Self

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A progress bar on a terminal, and an occasional line in the log."""

    def __init__(self, total: int) -> None:
        """Take the total number of documents."""
        self._total, self._done = total, 0
        self._start = self._told = time.perf_counter()

    def __enter__(self) -> Self:
        from tqdm import tqdm

        self._bar = tqdm(total=self._total, unit=" documents", smoothing=0.05, disable=None)
        return self

    def __exit__(self, *raised: Any) -> None:
        self._bar.close()

    def add(self, documents: int) -> None:
        """Count finished documents."""
        self._done += documents
        self._bar.update(documents)

    def tell(self, shard: str) -> None:
        """Log a finished shard, unless another one was logged recently."""
        now = time.perf_counter()
        if now - self._told < SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._told = now
        pace = self._done / max(now - self._start, 1e-9)
        left = round((self._total - self._done) / pace) if pace else 0
        logger.info("%s: %d of %d documents, %.0f per second, %d s left", shard, self._done, self._total, pace, left)
