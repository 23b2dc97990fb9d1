"""Progress reports while shards are read."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two log lines."""


class Progress:
    """Counter of shards and records; estimates the remaining time by bytes, where sizes are known."""

    def __init__(self, what: str, sizes: Mapping[str, int]) -> None:
        """Start counting.

        Args:
            what: What is being produced, for the log.
            sizes: Shard -> bytes; 0 if unknown.
        """
        self._what, self._sizes = what, sizes
        self._start = self._said = time.monotonic()
        self._shards = self._records = self._bytes = 0

    def add(self, shard: str, records: int) -> None:
        """Count a finished shard; log a line after a pause of :data:`EVERY`, and for the last shard."""
        self._shards += 1
        self._records += records
        self._bytes += self._sizes[shard]
        now = time.monotonic()
        if now - self._said >= EVERY or self._shards == len(self._sizes):
            self._said = now
            logger.info("%s", self.line(now - self._start))

    def line(self, seconds: float) -> str:
        """Format shards and records done after ``seconds``, their rate and the remaining time."""
        total = sum(self._sizes.values())
        done = self._bytes / total if total else self._shards / len(self._sizes)
        left = round(seconds / done - seconds) if done else 0
        return (
            f"{self._what}: {self._shards} of {len(self._sizes)} shards, {self._records:,} records, "
            f"{self._records / max(seconds, 1e-9):,.0f} per second, {left} s left"
        )
