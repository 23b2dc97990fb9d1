"""One run of an unlearning study: train, evaluate on the way, keep the results."""

from __future__ import annotations

import errno
import json
import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.base import bounded
from social_provenance.forgetting.runs.evaluation import Evaluator, Sets, Snapshot, heldout_of_bins, tabulate
from social_provenance.forgetting.runs.trainable import save_checkpoint, trainable
from social_provenance.forgetting.vocabulary import DONE, FAILED, STOPPED
from social_provenance.training.batches import Tokens, pairs
from social_provenance.training.loop import cpu_threads, seeded, train

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from social_provenance.capabilities.scoring import Scorer
    from social_provenance.forgetting.objectives.base import Objective
    from social_provenance.forgetting.settings import Unlearning
    from social_provenance.language_model import LanguageModel

CHECKPOINT, SUMMARY = "checkpoint", "summary.json"
ANSWERS, TRAJECTORY, HELD_OUT, STEPS = (f"{name}.parquet" for name in ("answers", "trajectory", "held_out", "steps"))

Bin = tuple[str, str]


@dataclass(frozen=True)
class Bench:
    """Model, benchmarks, documents and parameters that all runs of a study share.

    Attributes:
        model: The untouched model.
        scorer: Scores the items of every benchmark.
        tokens: Document id -> token ids, for all documents of the plan.
        bins: Document id -> topic and format, for all held-out documents.
        settings: Parameters of the study.
    """

    model: LanguageModel
    scorer: Scorer
    tokens: Mapping[str, Tokens]
    bins: Mapping[str, Bin]
    settings: Unlearning

    @cached_property
    def evaluator(self) -> Evaluator:
        return Evaluator(self.scorer, self.settings.read_documents, self.settings.tokens_at_once)

    @cached_property
    def algorithms(self) -> Mapping[str, Objective]:
        return {algorithm.name: algorithm for algorithm in self.settings.algorithms}

    def sets(self, row: Mapping[Any, Any]) -> Sets:
        """Return the documents of a run, cut to the tokens that are trained on or evaluated."""
        limit, held = self.settings.max_tokens, self.settings.held_out.max_tokens
        forget, retain, held_out = (
            [self.tokens[doc_id][:most] for doc_id in row[name]]
            for name, most in (("forget_ids", limit), ("retain_ids", limit), ("held_out_ids", held))
        )
        return Sets(forget, retain, held_out, self.settings.read_sample, self.settings.seed)

    def load(self) -> Any:
        """Return the untouched model; below adapters it does not change, and all runs of a process use one."""
        return self.model.load() if self.settings.lora is None else self._below_adapters

    @cached_property
    def _below_adapters(self) -> Any:
        return self.model.load(self.settings.precision)


@dataclass
class _Trajectory:
    """The trajectory of a run: its snapshots and steps so far, and why it ended."""

    bins: Sequence[Bin]
    bound: float
    readings: dict[int, Snapshot] = field(default_factory=dict)
    steps: list[dict[str, float]] = field(default_factory=list)
    status: str = DONE
    reason: str | None = None

    def note(self, step: int, measured: Mapping[str, float]) -> bool:
        """Record a step; return whether all its measurements are finite."""
        self.steps.append({"step": step, **measured})
        non_finite = next((name for name, value in measured.items() if not math.isfinite(value)), None)
        if non_finite is not None:
            self._end(FAILED, f"{non_finite} is {measured[non_finite]} in step {step}")
        return non_finite is None

    def read(self, step: int, reading: Snapshot) -> bool:
        """Record a snapshot; return whether the run goes on."""
        non_finite = reading.non_finite()
        if non_finite is not None:
            self._end(FAILED, f"{non_finite} is not finite after step {step}")
            return False
        self.readings[step] = reading
        rise = (heldout_of_bins(reading, self.bins) - heldout_of_bins(self.readings[0], self.bins)).max()
        if rise > self.bound:
            self._end(STOPPED, f"the held-out loss of a bin rose by {rise:.3g} nats per token after step {step}")
        return self.reason is None

    def _end(self, status: str, reason: str) -> None:
        self.status, self.reason = status, reason


def execute_run(bench: Bench, row: Mapping[Any, Any], folder: Path) -> None:
    """Train and evaluate one run, and write its tables, summary and checkpoint.

    A loss that is not finite ends the run as ``failed``, a held-out loss that rises above the bound as
    ``stopped``; both keep their evaluations and the reason.

    Args:
        bench: Model, benchmarks and documents that runs share.
        row: Row of the plan.
        folder: Empty folder for the tables, the summary and, unless the run failed, the checkpoint.

    Raises:
        UnlearningError: If a loss of the untouched model is not finite, or the disk is full.
    """
    sets = bench.sets(row)
    with cpu_threads(bench.settings.optimiser.threads):
        untouched, before = _read_untouched(bench, sets)
        with trainable(untouched, bench.settings.lora, checkpointing=bench.settings.checkpointing) as model:
            trajectory = _forget(bench, row, sets, model, before)
            with _disk_has_room(folder, row["run_id"]):
                _write(bench, row, trajectory, model, folder)


def _read_untouched(bench: Bench, sets: Sets) -> tuple[Any, Snapshot]:
    model = bench.load()
    before = bench.evaluator.evaluate_untouched(model, sets)
    if before.non_finite():
        raise UnlearningError(
            f"model {bench.model.path}: {before.non_finite()} is not finite, before any training: check its weights"
        )
    return model, before


def _forget(bench: Bench, row: Mapping[Any, Any], sets: Sets, model: Any, before: Snapshot) -> _Trajectory:
    settings, evaluator = bench.settings, bench.evaluator
    algorithm = bench.algorithms[row["algorithm"]]
    trajectory = _Trajectory([bench.bins[doc_id] for doc_id in row["held_out_ids"]], settings.max_held_out_rise)
    trajectory.read(0, before)
    optimiser = settings.optimiser
    if algorithm.learning_rate is not None:
        optimiser = optimiser.model_copy(update={"learning_rate": algorithm.learning_rate})

    def after_step(step: int, measured: dict[str, float]) -> bool:
        if not trajectory.note(step, measured):
            return False
        return step not in settings.grid or trajectory.read(step, evaluator.evaluate(model, sets))

    batches = pairs(sets.forget, sets.retain, settings.batch_documents, row["steps"], row["seed"], model.device)
    with seeded(row["seed"]):
        step = algorithm.prepare(model, sets.forget, sets.retain, settings.batch_documents)
        in_parts = bounded(step, settings.tokens_at_once)
        train(model, batches, lambda pair: in_parts(*pair), optimiser, lambda _: 1.0, after_step)
    return trajectory


def _write(bench: Bench, row: Mapping[Any, Any], trajectory: _Trajectory, model: Any, folder: Path) -> None:
    """Write the tables of a run, its checkpoint unless it failed, and its summary."""
    import pandas as pd

    tables = dict(zip((TRAJECTORY, HELD_OUT), tabulate(trajectory.readings, trajectory.bins), strict=True))
    tables[ANSWERS] = pd.concat([one.answers.assign(step=step) for step, one in trajectory.readings.items()])
    tables[STEPS] = pd.DataFrame(trajectory.steps)
    for name, table in tables.items():
        table.reset_index(drop=True).to_parquet(folder / name)
    digest = None
    if trajectory.status != FAILED:
        origin = {"run_id": row["run_id"], "plan": row["digest"], "model": bench.model.digest()}
        digest = save_checkpoint(model, folder / CHECKPOINT, origin)
    summary = {
        "status": trajectory.status,
        "last_step": max(trajectory.readings),
        "reason": trajectory.reason,
        "checkpoint": digest,
    }
    (folder / SUMMARY).write_text(json.dumps(summary))


@contextmanager
def _disk_has_room(folder: Path, run_id: str) -> Iterator[None]:
    """Name the run that could not be written when the disk is full."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        if getattr(error, "errno", None) != errno.ENOSPC and "No space left" not in str(error):
            raise
        raise UnlearningError(
            f"the disk of {folder} is full: run {run_id} could not be written; free space or move the data with "
            f"--params root=DIR, and run again: finished runs are kept"
        ) from error
