"""How far a labelling run is, how fast, and how long it still takes."""

from __future__ import annotations

import logging
import time
from typing import Any, Self

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A bar where there is a terminal, and a line in the log now and then."""

    def __init__(self, total: int) -> None:
        """Say how many documents there are."""
        self._total, self._done = total, 0
        self._start = self._told = time.perf_counter()

    def __enter__(self) -> Self:
        from tqdm import tqdm

        self._bar = tqdm(total=self._total, unit=" documents", smoothing=0.05, disable=None)
        return self

    def __exit__(self, *raised: Any) -> None:
        self._bar.close()

    def add(self, documents: int) -> None:
        """Count documents that are done."""
        self._done += documents
        self._bar.update(documents)

    def tell(self, shard: str) -> None:
        """Log that a shard is done, unless that was said of another just now."""
        now = time.perf_counter()
        if now - self._told < SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._told = now
        pace = self._done / max(now - self._start, 1e-9)
        left = round((self._total - self._done) / pace) if pace else 0
        logger.info("%s: %d of %d documents, %.0f a second, %d s left", shard, self._done, self._total, pace, left)
