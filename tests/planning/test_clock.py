"""Seconds of a trial: those of its own work, whatever else is done meanwhile."""

from __future__ import annotations

import time

from social_provenance.planning.clock import Clock, clocked


def test_waiting_is_no_work_on_a_processor_and_is_time_on_a_gpu() -> None:
    processor, gpu = Clock(), Clock(gpu=True)
    time.sleep(0.2)
    assert processor.seconds() < 0.15
    assert gpu.seconds() >= 0.2


def test_work_counts() -> None:
    assert clocked(lambda: sum(range(3_000_000))) > clocked(lambda: sum(range(3_000)))
