"""Execution of the runs of a study, in this process or in several with a device each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.runs.run import Bench, execute_run
from social_provenance.processes import worker_pool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Tasks = dict[str, tuple[dict[Any, Any], "Path"]]
"""Run id -> its row of the plan and its empty folder."""

VISIBLE = "CUDA_VISIBLE_DEVICES"


def execute_runs(bench: Bench, tasks: Tasks) -> Iterator[str]:
    """Execute runs and yield the id of each as soon as it is complete.

    A run depends only on its row, so its results do not depend on the process that executes it.

    Args:
        bench: Model, benchmarks and documents that runs share.
        tasks: Runs to execute.

    Raises:
        UnlearningError: If a run fails with an error, or a process died.
    """
    if bench.settings.processes > 1 and len(tasks) > 1:
        yield from _spread(bench, tasks)
        return
    for run_id, (row, folder) in tasks.items():
        execute_run(bench, row, folder)
        yield run_id


def _spread(bench: Bench, tasks: Tasks) -> Iterator[str]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    count = min(bench.settings.processes, len(tasks))
    devices = get_context("spawn").Queue()
    for name in devices_of(count):
        devices.put(name)
    try:
        with worker_pool(count, _start, (bench, devices)) as pool:
            futures = {pool.submit(_execute, row, folder): run_id for run_id, (row, folder) in tasks.items()}
            for future in as_completed(futures):
                future.result()
                yield futures[future]
    except BrokenProcessPool as error:
        raise UnlearningError(
            f"one of {count} processes died, perhaps for lack of memory: lower unlearning.processes and run again; "
            f"finished runs are kept"
        ) from error


def devices_of(count: int) -> list[str | None]:
    """Return the GPU of each of ``count`` processes, in turn; None where there is none."""
    import torch

    named = os.environ.get(VISIBLE)
    visible = range(torch.cuda.device_count()) if named is None else [name for name in named.split(",") if name]
    gpus = [str(name) for name in visible]
    return [gpus[process % len(gpus)] if gpus else None for process in range(count)]


_bench: Bench | None = None


def _start(bench: Bench, devices: Any) -> None:
    """Claim a device, before torch initialises one, and keep what runs share."""
    global _bench  # noqa: PLW0603
    device = devices.get()
    if device is not None:
        os.environ[VISIBLE] = device
    _bench = bench


def _execute(row: dict[Any, Any], folder: Path) -> None:
    if _bench is None:
        raise UnlearningError("a worker process has no model to train: this is a bug, report it")
    execute_run(_bench, row, folder)
