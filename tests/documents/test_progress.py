"""Progress: by bytes where they are known, by shards where not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from social_provenance.documents.progress import Progress

if TYPE_CHECKING:
    import pytest


def test_the_time_left_goes_by_bytes() -> None:
    progress = Progress("records", {"a": 100, "b": 300})
    progress.add("a", 50)
    assert progress.line(10.0) == "records: 1 of 2 shards, 50 records, 5 per second, 30 s left"


def test_without_sizes_the_time_left_goes_by_shards() -> None:
    progress = Progress("records", {"a": 0, "b": 0, "c": 0})
    progress.add("a", 50)
    assert progress.line(10.0).endswith("20 s left")


def test_the_last_shard_is_always_told(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress("records", {"a": 1, "b": 1})
    with caplog.at_level(logging.INFO):
        progress.add("a", 1)
        assert not caplog.messages
        progress.add("b", 2)
    assert [message.split(",")[0] for message in caplog.messages] == ["records: 2 of 2 shards"]
