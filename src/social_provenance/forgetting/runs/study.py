"""Identity and cost of all runs of an unlearning study."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import combinations
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts, Work
from social_provenance.device_memory import trial
from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of
from social_provenance.forgetting.objectives.base import bounded
from social_provenance.forgetting.runs.run import execute_run
from social_provenance.forgetting.runs.trainable import checkpoint_bytes, trainable
from social_provenance.forgetting.runs.workers import execute_runs
from social_provenance.forgetting.vocabulary import IDS
from social_provenance.training.batches import take
from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from social_provenance.forgetting.runs.run import Bench

logger = logging.getLogger(__name__)

SETTINGS = set(
    "steps read_every batch_documents max_tokens tokens_at_once precision checkpointing read_documents read_sample "
    "held_out optimiser lora max_held_out_rise seed".split()
)
"""Parameters that a run depends on, besides its row and its documents."""
PASSES = 3
"""Cost of a forward with a backward pass, in forward passes."""


def plan_parts(plan: pd.DataFrame, bench: Bench) -> Parts:
    """Describe each run of a plan as a part, with its identity, cost and code.

    Args:
        plan: Of :func:`social_provenance.forgetting.design.plan.list_runs`.
        bench: Model, benchmarks and documents that runs share.

    Raises:
        UnlearningError: If the sets of a run overlap, or no module has the name of an adapter's target.
    """
    shared = digest_of(
        bench.model.digest(),
        bench.settings.model_dump(mode="json", include=SETTINGS),
        _digest_of_requests(bench.scorer.requests),
        bench.scorer.batch_size,
        [version(name) for name in ("torch", "transformers", "peft", "lm_eval")],
    )
    size = checkpoint_bytes(bench.model.config(), bench.settings.lora)
    rows = {row["run_id"]: row for row in plan.to_dict("records")}
    inputs, work = {}, {}
    digests = {doc_id: digest_of(list(map(int, ids))) for doc_id, ids in bench.tokens.items()}
    for run_id, row in rows.items():
        _refuse_overlap(row)
        content = [[digests[doc_id] for doc_id in row[name]] for name in IDS]
        inputs[run_id] = digest_of(shared, bench.algorithms[row["algorithm"]], row["digest"], content)
        work[run_id] = count_work(row, bench, size)

    # Results do not depend on the process that executes a run, nor on other runs: the code of a run is that of
    # execute_run and of its algorithm's class, so an edit of workers or of another algorithm recomputes nothing.
    code = {run_id: (execute_run, bench.algorithms[row["algorithm"]]) for run_id, row in rows.items()}
    return Parts(inputs, partial(_write, bench, rows), work, partial(_pace, bench, next(iter(rows.values()))), code)


def _write(bench: Bench, rows: Mapping[str, dict[Any, Any]], waiting: Mapping[str, Path]) -> Iterator[str]:
    tasks = {run_id: (rows[run_id], folder) for run_id, folder in waiting.items()}
    logger.info("%d runs of %d, %d at a time", len(tasks), len(rows), min(bench.settings.processes, len(tasks)))
    yield from execute_runs(bench, tasks)


def _refuse_overlap(row: Mapping[Any, Any]) -> None:
    if not len(row["retain_ids"]):
        raise UnlearningError(f"run {row['run_id']} has no documents to retain: raise unlearning.retain_per_topic")
    named = {name: set(row[name]) for name in IDS}
    for one, other in combinations(IDS, 2):
        both = sorted(named[one] & named[other])
        if both:
            raise UnlearningError(
                f"run {row['run_id']}: document {both[0]} is in {one} and in {other}: plan again with "
                f"--from-nodes plan_unlearning"
            )


def _digest_of_requests(requests: pd.DataFrame) -> str:
    tokens = [[list(map(int, ids)) for ids in requests[column]] for column in ("prompt_ids", "completion_ids")]
    return digest_of(
        requests[["benchmark", "item", "cluster", "is_gold", "units", "normalisation"]].to_numpy().tolist(), tokens
    )


def count_work(row: Mapping[Any, Any], bench: Bench, size: int) -> Work:
    """Return the cost of a run: a step is three passes over its tokens, a reading one over all that is read.

    Args:
        row: Row of the plan.
        bench: Benchmarks and documents that runs share.
        size: Bytes of a checkpoint.
    """
    sets, settings = bench.sets(row), bench.settings
    forget, retain = (sum(map(len, part)) for part in (sets.forget, sets.retain))
    batch = settings.batch_documents * (forget / len(sets.forget) + retain / len(sets.retain))
    asked = sum(map(len, bench.scorer.requests["prompt_ids"])) + sum(map(len, bench.scorer.requests["completion_ids"]))
    readings = len(settings.grid) * (asked + sum(sum(map(len, part)) for part in sets.read))
    return Work(len(sets.forget), round(PASSES * batch * row["steps"] + readings), size)


def _pace(bench: Bench, row: Mapping[Any, Any]) -> float | None:
    """Return the seconds per token of an optimiser step, measured on a run that is thrown away; None if unknown."""
    fresh = replace(bench)  # what the trial loads is not sent to the workers
    spent = trial(_try_step, fresh, dict(row))
    if spent is None:
        logger.warning("the time of the unlearning runs is unknown: a step does not fit the device")
    return spent


def _try_step(bench: Bench, row: Mapping[Any, Any]) -> float:
    settings, sets = bench.settings, bench.sets(row)
    with (
        cpu_threads(settings.optimiser.threads),
        trainable(bench.load(), settings.lora, checkpointing=settings.checkpointing) as model,
    ):
        model.train()
        prepared = bench.algorithms[row["algorithm"]].prepare(model, sets.forget, sets.retain, settings.batch_documents)
        step = bounded(prepared, settings.tokens_at_once)
        forget, retain = (
            take(part, range(min(settings.batch_documents, len(part))), model.device)
            for part in (sets.forget, sets.retain)
        )
        step(forget, retain)
        start = time.perf_counter()
        step(forget, retain)
        spent = time.perf_counter() - start
    tokens = sum(map(sum, (forget.lengths, retain.lengths)))
    return spent / (PASSES * tokens * settings.processes)
