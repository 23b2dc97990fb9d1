"""Seconds of a trial: those of its own work, whatever else is done meanwhile."""

from __future__ import annotations

import time

import torch

from social_provenance.planning.clock import Clock, clocked, fewest_seconds


def test_waiting_is_no_work_on_a_processor_and_is_time_on_a_gpu() -> None:
    processor, gpu = Clock(), Clock(gpu=True)
    time.sleep(0.2)
    assert processor.seconds() < 0.15
    assert gpu.seconds() >= 0.2


def test_work_counts() -> None:
    assert clocked(lambda: sum(range(3_000_000))) > clocked(lambda: sum(range(3_000)))


def test_a_call_is_tried_with_one_thread_and_the_threads_are_as_before() -> None:
    before, seen = torch.get_num_threads(), []
    assert fewest_seconds(lambda: seen.append(torch.get_num_threads())) >= 0
    assert seen[0] == 1
    assert torch.get_num_threads() == before
