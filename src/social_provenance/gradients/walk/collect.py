"""Collect the gradients of a corpus into a store, shard by shard, in one pass."""

from __future__ import annotations

import json
import logging
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.artifacts import Parts, Work, leads, node
from social_provenance.device_memory import memory_of_gpu
from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.walk.bergson_adam import refuse_without_moments
from social_provenance.gradients.walk.bergson_ranks import walk_together
from social_provenance.gradients.walk.bergson_run import Walker
from social_provenance.gradients.walk.bergson_trial import refuse_large, seconds_per_token
from social_provenance.gradients.walk.coverage import inspect, refuse_flat, refuse_too_wide, warn_of_experts
from social_provenance.gradients.walk.finish import finish_shard
from social_provenance.gradients.walk.query_model import choose_query_model

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel

logger = logging.getLogger(__name__)

HEADERS = 14_000
"""Bytes of a shard beside its gradients: Bergson's settings, headers of Parquet and Arrow, the seal."""

SHARED = ("projection_dim", "projection_type", "loss_reduction", "moe_experts", "precision", "attention", "normalizer")
"""Settings that gradients must have in common to be compared."""

SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Walk:
    """Everything that a pass over sequences depends on.

    Attributes:
        model: The model, whose loss is differentiated.
        settings: Settings that change a gradient.
        distributed: Processes, which do not.
        id_column: Column with the id of a row.
        beside: Model of the documents that queries are compared with, where it is another one.
    """

    model: LanguageModel
    settings: GradientSettings
    distributed: Distributed
    id_column: str
    beside: LanguageModel | None = None

    def identity(self) -> dict[str, Any]:
        """Return what all shards of a store and the queries compared with it must have in common."""
        taken = self.settings.model_dump(include=set(SHARED))
        if self.beside is None:
            return {"model": self.model.digest(), **taken}
        return {"model": self.beside.digest(), **taken, "query_model": self.model.digest()}


def shard_by_rank(sequences: Dataset, ranks_per_shard: int) -> dict[str, Dataset]:
    """Assign documents to shards by their rank in their bin's seeded order.

    A larger nested sample adds ranks, so every full shard of a smaller one is also one of its own.

    Args:
        sequences: Rows with ``bin_rank``, from 0.
        ranks_per_shard: Ranks of each bin in a shard.
    """
    shard = np.array(sequences["bin_rank"]) // ranks_per_shard
    return {
        f"ranks-{number * ranks_per_shard:06d}": sequences.select(np.flatnonzero(shard == number), keep_in_memory=True)
        for number in np.unique(shard)
    }


def plan_corpus(tokens: Dataset, model: LanguageModel, settings: GradientSettings, distributed: Distributed) -> Parts:
    """Describe the gradient store of documents, a part for each shard."""
    rows = tokens.select_columns(["doc_id", "bin_rank", "input_ids", "length"])
    return plan_store(shard_by_rank(rows, settings.ranks_per_shard), Walk(model, settings, distributed, "doc_id"))


def plan_queries(
    sets: Mapping[str, Dataset],
    model: LanguageModel,
    settings: GradientSettings,
    distributed: Distributed,
    query_model: LanguageModel | None = None,
) -> Parts:
    """Describe the gradients of query sets, a part for each.

    Queries are few: they keep full precision, and one process computes them unless the model has to be
    sharded, because starting processes for each set would take longer than the sets themselves.

    Args:
        sets: ``<benchmark>.<variant>`` -> token sequences.
        model: Model of the documents.
        settings: Settings of the gradients.
        distributed: Processes.
        query_model: Model that walks the queries, if it is another one.

    Raises:
        AttributionError: If that model has other shapes or another vocabulary, and as for :func:`plan_store`.
    """
    asked = choose_query_model(model, query_model)
    processes = distributed if distributed.fsdp else distributed.model_copy(update={"nnode": 1, "nproc_per_node": 1})
    full = settings.model_copy(update={"store": "fp32"})
    return plan_store(sets, Walk(asked, full, processes, "item", beside=None if asked == model else model))


def plan_store(pieces: Mapping[str, Dataset], walk: Walk) -> Parts:
    """Describe a store before it is computed.

    Args:
        pieces: Part -> its rows: ``input_ids``, ``length``, the id column, and what else is to be
            kept; ``labels`` where not every token has a loss.
        walk: Model and settings.

    Raises:
        AttributionError: If a row is longer than the token budget, a module is smaller than its
            projection, a part has no rows or, for a sharded model, fewer than processes, or this is not
            the first node and a single node computes the gradients.
    """
    if not leads() and walk.distributed.nnode == 1:
        raise AttributionError(
            f"this is node {node()} of several and one node takes these gradients: run this step on the first node "
            f"alone, or give attribution.distributed.nnode for a walk of all"
        )
    coverage = inspect(walk.model.config(), walk.settings.moe_experts)
    refuse_flat(walk.model, coverage)
    refuse_too_wide(coverage, walk.settings.projection_dim)
    warn_of_experts(coverage, walk.settings.moe_experts)
    if walk.settings.normalizer == "adam":
        refuse_without_moments(walk.model, coverage.modules)
    if not walk.distributed.fsdp:
        refuse_large(walk.model, walk.settings, memory_of_gpu())
    for name, rows in pieces.items():
        _refuse_few(name, rows, walk)
        _refuse_long(rows, walk)
    shared = digest_of(
        walk.identity(),
        walk.settings.token_batch,
        walk.settings.store,
        [version(name) for name in ("bergson", "torch", "transformers")],
    )
    fixed, width = store_bytes(
        coverage.dimensions(walk.settings.projection_dim), int(walk.model.config().hidden_size), walk.settings
    )
    work = {name: Work(len(rows), sum(rows["length"]), fixed + len(rows) * width) for name, rows in pieces.items()}
    inputs = {name: digest_of(shared, _digest_of_rows(rows, walk.id_column)) for name, rows in pieces.items()}
    # A sharded model does not fit the one process of a trial.
    pace = None if walk.distributed.fsdp else partial(_pace, max(pieces.values(), key=len), walk)
    return Parts(inputs, partial(_write, pieces, walk), work, pace)


def store_bytes(dimensions: int, hidden: int, settings: GradientSettings) -> tuple[int, int]:
    """Return the bytes of a part beside its rows, and those of a row.

    Args:
        dimensions: Of the projected gradient.
        hidden: Hidden size of the model.
        settings: Settings of the gradients.
    """
    width = dimensions * (2 if settings.store == "fp16" else 4) + 4 * hidden
    return 4 * dimensions * settings.projection_dim**2 + HEADERS, width


def _write(pieces: Mapping[str, Dataset], walk: Walk, waiting: Mapping[str, Path]) -> Iterator[str]:
    from datasets.utils.logging import disable_progress_bar
    from tqdm import tqdm

    disable_progress_bar()
    total = sum(len(pieces[name]) for name in waiting)
    shards = [(pieces[name], folder) for name, folder in waiting.items()]
    with (
        tqdm(total=total, unit=" documents", smoothing=0.05, disable=None) as bar,
        closing(_walk(shards, walk, bar.update)) as walked,  # an error here ends the processes
    ):
        done, start, told = 0, time.perf_counter(), time.perf_counter()
        for (name, folder), _ in zip(waiting.items(), walked, strict=True):
            rows = pieces[name]
            if leads():
                finish_shard(folder, rows, walk)
            done += len(rows)
            bar.update(done - bar.n)
            now = time.perf_counter()
            if now - told > SECONDS_BETWEEN_LINES:
                told, pace = now, done / (now - start)
                left = round((total - done) / pace)
                logger.info(
                    "%s: %d of %d rows, %.*f a second, %d s left", name, done, total, int(pace < 10), pace, left
                )
            yield name


def _walk(shards: Sequence[tuple[Dataset, Path]], walk: Walk, watch: Callable[[int], object]) -> Generator[None]:
    """Collect the gradients of shards, and yield once for each as soon as it has them."""
    if walk.distributed.processes > 1:
        yield from walk_together(shards, walk.model, walk.settings, walk.distributed)
        return
    walker = Walker(walk.model, walk.settings, walk.distributed, watch)
    for rows, folder in shards:
        # In memory: else the library leaves files inside the dataset, which then is another one.
        walker.collect(rows.flatten_indices(keep_in_memory=True), folder)
        yield


def _refuse_few(name: str, rows: Dataset, walk: Walk) -> None:
    if not len(rows):
        raise AttributionError(f"part {name!r} has no rows: give it documents or items to take gradients of")
    processes = walk.distributed.processes
    if walk.distributed.fsdp and len(rows) < processes:
        raise AttributionError(
            f"part {name!r} has {len(rows)} rows and attribution.distributed divides the model over {processes} "
            f"processes, each of which needs a row: start fewer, or change gradients.ranks_per_shard"
        )


def _refuse_long(rows: Dataset, walk: Walk) -> None:
    lengths = list(rows["length"])
    budget = walk.settings.max_tokens
    longest = max(lengths)
    if longest > budget:
        name = rows[walk.id_column][lengths.index(longest)]
        raise AttributionError(
            f"{walk.id_column} {name!r} has {longest} tokens, gradients.max_tokens is {budget}: raise it and "
            f"gradients.token_batch, or leave that {walk.id_column.removesuffix('_id')} out"
        )


def _pace(rows: Dataset, walk: Walk) -> float | None:
    return seconds_per_token(walk.model, walk.settings, rows, walk.distributed.processes)


def _digest_of_rows(rows: Dataset, id_column: str) -> str:
    """Return the identity of a shard's rows, streamed."""
    import hashlib

    columns = [name for name in (id_column, "input_ids", "labels", "block", "choice") if name in rows.column_names]
    total = hashlib.sha256()
    for batch in rows.select_columns(columns).iter(batch_size=1000):
        total.update(json.dumps(batch).encode())
    return total.hexdigest()
