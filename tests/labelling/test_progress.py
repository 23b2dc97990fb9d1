"""Progress says how far, how fast, how long still."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from social_provenance.labelling import progress
from social_provenance.labelling.progress import Progress

if TYPE_CHECKING:
    import pytest


def test_a_line_has_pace_and_time_left(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 20.0, 21.0, 40.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    with caplog.at_level(logging.INFO), Progress(400) as told:
        told.add(100)
        told.tell("a.jsonl")
        told.add(100)
        told.tell("b.jsonl")  # a second later: too soon
        told.add(200)
        told.tell("c.jsonl")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "a.jsonl: 100 of 400 documents, 5 per second, 60 s left",
        "c.jsonl: 400 of 400 documents, 10 per second, 0 s left",
    ]
