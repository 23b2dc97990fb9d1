"""The walk in several processes: each loads the model once and walks its share of one shard after the other."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import leads
from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.bergson_index import INDEX, join_states
from social_provenance.gradients.walk.bergson_run import (
    Batches,
    deal_batches,
    import_bergson,
    index_config,
    load_frozen,
    quiet,
    walk_batches,
)
from social_provenance.processes import follow_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel

SECONDS_BETWEEN_LOOKS = 0.2

Shards = list[tuple[Any, "Dataset", "Path"]]
"""Configuration, rows and folder of each shard."""


def walk_together(
    shards: Sequence[tuple[Dataset, Path]], model: LanguageModel, settings: GradientSettings, distributed: Distributed
) -> Iterator[None]:
    """Walk shards in the processes of all nodes, and yield once for each shard as soon as it is walked.

    The processes walk the next shard meanwhile. They end when the iterator is closed.

    Args:
        shards: Rows (``input_ids``, ``length``, and ``labels`` where not every token counts) and folder of each. The
            folder gets ``index``, a Bergson index, and the states of all processes.
        model: The model.
        settings: Projection and batches.
        distributed: Processes.

    Raises:
        AttributionError: If a process ends with an error, which is on its standard error, is killed, or has written
            to another disk.
    """
    import_bergson()
    from bergson.distributed import launch_distributed_run

    jobs: Shards = [
        (index_config(model, settings, folder / INDEX, distributed), rows, folder) for rows, folder in shards
    ]
    others = set(multiprocessing.active_children())
    ended: Future[None] = Future()

    def launch() -> None:
        try:
            launch_distributed_run("walk", _work, [jobs], jobs[0][0].distributed)
        except BaseException as error:
            ended.set_exception(error)
        else:
            ended.set_result(None)

    threading.Thread(target=launch, daemon=True).start()

    def is_walked(folder: Path) -> bool:
        return leads() and (folder / INDEX).exists()  # the first node may move a folder before another looks

    try:
        for _, rows, folder in jobs:
            while not ended.done() and not is_walked(folder):
                time.sleep(SECONDS_BETWEEN_LOOKS)
            if not is_walked(folder):
                _end(ended)
            if leads():
                join_states(folder, len(rows))
            yield
        _end(ended)
    finally:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()


def _end(ended: Future[None]) -> None:
    """Wait for the processes, and raise the error of one that failed."""
    try:
        ended.result()
    except RuntimeError as error:
        raise AttributionError(
            f"a process of the walk has ended before its time ({error}): what it says is above, nothing if it was "
            f"killed; finished shards stay, run again to go on"
        ) from error


def _work(rank: int, local_rank: int, world_size: int, jobs: Shards) -> None:
    """Be one of several processes."""
    import torch.distributed as dist
    from bergson.distributed import init_dist

    follow_parent()
    # Before the processes know each other: after that, each of them would allocate batches of its share alone.
    shares = [
        deal_batches(rows["length"], config.token_batch_size, world_size, fsdp=config.fsdp)[rank]
        for config, rows, _ in jobs
    ]
    init_dist(rank, local_rank, world_size)
    with quiet():
        loaded = load_frozen(jobs[0][0])
        for share, (config, stored, folder) in zip(shares, jobs, strict=True):
            rows = stored.flatten_indices(keep_in_memory=True)
            walk_batches(loaded, config, rows, folder, Batches(share), rank)
            dist.barrier()
            if rank == 0:
                config.partial_run_path.rename(folder / INDEX)
