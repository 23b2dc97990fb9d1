"""The cost of each stage of a study: hours, memory, disk, spill, and how each was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from social_provenance.gradients.walk.collect import store_bytes
from social_provenance.planning.laws import LAWS
from social_provenance.planning.stages import stages_of
from social_provenance.planning.trials import Line
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from social_provenance.planning.laws import Machine
    from social_provenance.planning.sizes import Sizes
    from social_provenance.planning.study import Study

By = Literal["trial", "law", "trial and law", "unknown"]

FORWARD, WALK, STEP = 2, 4, 6
"""Floating-point operations of a weight and a token: a forward pass, one with the gradient of activations, one with that
of the weights too."""
REGIONS = len(BINS) + len(TOPICS) + len(FORMATS)
STATE = 16
"""Bytes of a trained fp32 weight: itself, its gradient, two moments."""
CELL = 100
"""Bytes in memory of a score: document, benchmark, method (``resample_scores``, benchmarks/scale.py)."""
WORKER = 400_000_000
"""Bytes of a process with torch and transformers, its shared libraries left out."""
ON_DEVICE = {"pretrain", "queries", "walk", "random_weights", "tail_patch", "unlearn"}
"""Stages whose model runs on a GPU where there is one."""


@dataclass(frozen=True)
class Cost:
    """What a stage takes.

    Attributes:
        seconds: Seconds of the wall clock; None: unknown.
        by: How they were found.
        host: Peak of the memory of its processes beyond that of the program, bytes.
        disk: Bytes that it leaves in the data folder.
        spill: Bytes that the engine writes beside them for what exceeds its memory.
        documents: Documents that it processes.
        tokens: Tokens that it processes.
    """

    seconds: float | None
    by: By = "law"
    host: int = 0
    disk: int = 0
    spill: int = 0
    documents: int | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Found:
    """Everything that costs are estimated from.

    Attributes:
        study: Parameters.
        sizes: Counts.
        survey: Survey of the corpus, with its trials.
        trials: Measurements of the model's trials; empty where the model is not tried.
        machine: Speed of this machine.
        memory_limit: Bytes of the engine's memory; None: it has no limit.
        processes: Processes that read shards.
        pretraining_steps: Steps that pretraining is expected to take.
        peaks: Stage -> peak of a device's memory, bytes.
    """

    study: Study
    sizes: Sizes
    survey: Mapping[str, Any]
    trials: Mapping[str, Any]
    machine: Machine
    memory_limit: int | None
    processes: int
    pretraining_steps: int
    peaks: Mapping[str, int]

    def law(self, stage: str) -> float:
        """Return the seconds of what is not tried of a stage."""
        return LAWS[stage].at(self.counts, self.machine)

    @property
    def counts(self) -> dict[str, float]:
        """Return the counts that laws are of."""
        sizes, methods = self.sizes, len(self.study.scoring.methods)
        return {
            "documents": sizes.documents,
            "queries": sizes.queries,
            "cells": sizes.attributed * sizes.benchmarks * methods,
            "replicated": self.study.bootstrap.replicates * sizes.benchmarks * methods,
            "runs": sizes.runs,
            "changes": sizes.runs * self.study.bootstrap.replicates,
        }

    def spilled(self, held: float) -> int:
        """Return what of an operation of the engine exceeds its memory, bytes."""
        return 0 if self.memory_limit is None else max(0, round(held) - self.memory_limit)

    def held(self, needed: float) -> int:
        """Return what of an operation of the engine is in memory, bytes."""
        return round(needed if self.memory_limit is None else min(needed, self.memory_limit))


def estimate_costs(found: Found, pipelines: Sequence[str]) -> dict[str, Cost]:
    """Return the cost of each stage of some pipelines, in their order."""
    return {stage.name: COSTS[stage.name](found) for stage in stages_of(pipelines)}


def _plus(*parts: float | None) -> float | None:
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)


def _make_world(found: Found) -> Cost:
    return Cost(found.law("make_world"), disk=found.sizes.chars)


def _read(found: Found) -> Cost:
    sizes, shards = found.sizes, found.survey["shards"]
    processes = max(1, min(found.processes, shards))
    seconds = found.survey["seconds"] / processes + found.law("read")
    held = WORKER * processes
    return Cost(seconds, "trial", held, sizes.records_bytes, 0, sizes.records)


def _clean(found: Found) -> Cost:
    sizes, tried = found.sizes, found.survey["clean_seconds"]
    grown = None if tried is None else tried * max(1.0, found.survey["scale"])
    disk = round(sizes.records_bytes * sizes.documents / max(1, sizes.records))
    held = sizes.chars + 200 * sizes.records
    return Cost(
        _plus(grown, found.law("clean")), "trial", found.held(held), disk, found.spilled(held), sizes.documents
    )


def _label(found: Found) -> Cost:
    sizes, survey, settings = found.sizes, found.survey, found.study.labelling
    disk = 140 * sizes.documents
    if not sizes.unlabelled:
        return Cost(found.law("label"), "law", 0, disk, 0, 0)
    if settings.classifier == "official":
        # Both classifiers are of 12 layers of a hidden size of 768 (docs/explanation/labels.md).
        tokens = sum(min(settings.official.max_tokens, length) for length in survey["lengths"])
        tokens = round(tokens * sizes.unlabelled / len(survey["lengths"]))
        passes = found.machine.passes(2 * FORWARD * OFFICIAL_WEIGHTS * tokens)
        by: By = "unknown" if passes is None else "law"
        return Cost(_plus(passes, found.law("label")), by, WORKER, disk, 0, sizes.unlabelled, tokens)
    trained = min(settings.light.max_train, sizes.documents - sizes.unlabelled)
    seconds = found.law("label")
    if survey["trained"]:
        seconds += survey["train_seconds"] * max(1.0, trained / survey["trained"]) ** 1.5
    if survey["classified"]:
        seconds += survey["label_seconds"] * max(1.0, sizes.documents / survey["classified"]) / settings.processes
    # As settings.light says: n documents take 8 x n x n bytes, plus 100 kB each.
    return Cost(seconds, "trial", 8 * trained**2 + 100_000 * trained, disk, 0, sizes.unlabelled)


def _draw(found: Found) -> Cost:
    sizes = found.sizes
    text = round(sizes.chars * sizes.working_set / max(1, sizes.documents))
    held = 2 * text + 100 * sizes.documents
    disk = round(sizes.records_bytes * sizes.working_set / max(1, sizes.records)) + 80 * sizes.working_set
    return Cost(found.law("draw"), "law", found.held(held), disk, found.spilled(held), sizes.working_set)


def _pretrain(found: Found) -> Cost:
    sizes, settings = found.sizes, found.study.pretraining
    steps = found.pretraining_steps
    evaluations = -(-steps // settings.evaluate_every)
    batch = settings.batch_sequences * settings.sequence_tokens
    disk = 4 * sizes.parameters * (1 + len([step for step in settings.checkpoints if step <= steps]))
    logits = 16 * batch * settings.vocab_size
    held = STATE * sizes.parameters + logits + 8 * sizes.corpus_tokens
    tried = found.trials.get("pretrain")
    tokens = steps * batch
    if tried is None:
        seconds = found.machine.passes(STEP * sizes.parameters * tokens)
        return Cost(seconds, "unknown" if seconds is None else "law", held, disk, 0, sizes.documents, tokens)
    score = Line(**tried["score"]).at(sizes.choices)
    tokenizer = found.survey["tokenizer_seconds"] * sizes.chars / max(1, found.survey["tokenizer_chars"])
    seconds = steps * tried["step"] + evaluations * score + tokenizer
    return Cost(seconds, "trial", held, disk, 0, sizes.documents, tokens)


def _tokenise(found: Found) -> Cost:
    sizes, survey = found.sizes, found.survey
    seconds = survey["tokenise_seconds"] * sizes.attributed / len(survey["lengths"]) + found.machine.slowness
    processes = found.study.queries["tokenizer_processes"]
    disk = 4 * sizes.tokens + 100 * sizes.attributed
    return Cost(seconds / processes, "trial", 50_000_000 * processes, disk, 0, sizes.attributed, sizes.tokens)


def _passes(found: Found, tokens: float, sets: int = 0) -> float | None:
    """Return the seconds of a walk over tokens, as one part or as many sets."""
    tried = found.trials.get("walk")
    if tried is None:
        return found.machine.passes(WALK * found.sizes.parameters * tokens)
    return Line(**tried["tokens"]).at(tokens) + float(tried["trial"]) + sets * float(tried["set"])


def _by(found: Found, seconds: float | None) -> By:
    return "unknown" if seconds is None else "trial" if found.trials.get("walk") else "law"


def _queries(found: Found) -> Cost:
    sizes = found.sizes
    walked = _passes(found, sizes.query_tokens, sizes.sets)
    seconds = _plus(walked, found.survey["render_seconds"], found.law("queries"))
    if found.study.queries["items"] != "all":
        answered = found.trials.get("pretrain")
        tokens = sizes.evaluation_tokens
        score = found.machine.passes(FORWARD * sizes.parameters * tokens)
        seconds = _plus(seconds, Line(**answered["score"]).at(sizes.attribution_choices) if answered else score)
    fixed, width = store_bytes(sizes.dimensions, sizes.hidden, found.study.gradients)
    disk = sizes.sets * fixed + sizes.queries * width
    return Cost(seconds, _by(found, walked), _model(found), disk, 0, sizes.queries, sizes.query_tokens)


def _model(found: Found) -> int:
    """Return the bytes of host memory of a walk: all of it on a CPU, the weights while they are read otherwise."""
    return found.peaks.get("walk", 4 * found.sizes.parameters)


def _store(found: Found) -> int:
    fixed, width = store_bytes(found.sizes.dimensions, found.sizes.hidden, found.study.gradients)
    ranks = found.study.attributed_per_bin or found.study.per_bin
    return -(-ranks // found.study.gradients.ranks_per_shard) * fixed + found.sizes.attributed * width


def _walk(found: Found) -> Cost:
    sizes = found.sizes
    seconds = _passes(found, sizes.tokens)
    shared = None if seconds is None else seconds / found.study.distributed.processes
    return Cost(shared, _by(found, seconds), _model(found), _store(found), 0, sizes.attributed, sizes.tokens)


def _compared(found: Found) -> float | None:
    """Return the seconds of comparing gradients; products of matrices where that is not tried."""
    tried, sizes, settings = found.trials.get("compare"), found.sizes, found.study
    if tried is not None:
        return Line(**tried["gradients"]).at(sizes.attributed)
    # Each module's block of a gradient is multiplied by the root of its second moment, for each set of queries.
    roots = 2 * sizes.dimensions * settings.gradients.projection_dim**2
    operations = sizes.attributed * sizes.sets * len(settings.scoring.methods) * roots
    return found.machine.passes(operations)


def _compare(found: Found) -> Cost:
    sizes, settings = found.sizes, found.study
    tried = found.trials.get("compare")
    texts = Line(**tried["texts"]).at(sizes.attributed) if tried else 0.0
    seconds = _plus(_compared(found), texts, found.law("compare"))
    by: By = "unknown" if seconds is None else "trial" if tried else "law"
    rows = min(settings.scoring.chunk, sizes.attributed)
    joint = 3 * 4 * sizes.dimensions**2 if "trak" in settings.scoring.methods else 0
    cells = int(found.counts["cells"])
    disk = cells * (8 * (1 + len(settings.nulls)) + 30) + 40 * sizes.attributed * sizes.sets
    return Cost(seconds, by, 5 * 4 * rows * sizes.dimensions + joint, disk, 0, sizes.attributed)


def _random_weights(found: Found) -> Cost:
    walk, sizes = _walk(found), found.sizes
    asked = sizes.query_tokens / (1 + len(found.study.nulls))
    compared = _compared(found)
    shared = None if compared is None else compared / (1 + len(found.study.nulls))
    queries = _passes(found, asked, sizes.benchmarks)
    seconds = _plus(walk.seconds, queries, shared, found.law("random_weights"))
    fixed, width = store_bytes(sizes.dimensions, sizes.hidden, found.study.gradients)
    disk = walk.disk + sizes.benchmarks * fixed + sizes.queries // (1 + len(found.study.nulls)) * width
    disk += 4 * sizes.parameters + 40 * sizes.attributed * sizes.benchmarks
    return Cost(seconds, _by(found, seconds), walk.host, disk, 0, sizes.attributed, sizes.tokens + round(asked))


def _aggregate(found: Found) -> Cost:
    counts = found.counts
    replicates = round(8 * counts["replicated"] * REGIONS)
    disk = replicates + round(30 * counts["cells"]) + 3_000_000
    held = CELL * counts["cells"] + 3 * replicates
    return Cost(found.law("aggregate"), "law", round(held), disk, 0, found.sizes.attributed)


def _tail_patch(found: Found) -> Cost:
    sizes, settings = found.sizes, found.study.tail_patch
    patches = sizes.regions * settings.repeats
    tokens = round(patches * settings.doses[-1] * settings.batch_documents * sizes.tokens / max(1, sizes.attributed))
    tried = found.trials.get("tail_patch")
    if tried is not None:
        seconds: float | None = patches * float(tried["patch"]) + found.machine.slowness
    else:
        asked = sizes.patched_choices * sizes.evaluation_tokens / max(1, sizes.choices)
        evaluated = (1 + patches * len(settings.doses)) * asked
        seconds = found.machine.passes(sizes.parameters * (STEP * tokens + FORWARD * evaluated))
    by: By = "trial" if tried else "unknown" if seconds is None else "law"
    held = STATE * sizes.parameters + 4 * sizes.parameters
    return Cost(seconds, by, held, 0, 0, patches * settings.doses[-1] * settings.batch_documents, tokens)


def _unlearn(found: Found) -> Cost:
    sizes, settings = found.sizes, found.study.unlearning
    tokens, tried = sizes.runs * sizes.run_tokens, found.trials.get("unlearn")
    if tried is not None:
        rounds = -(-sizes.runs // settings.processes)
        starts = float(tried["start"]) if settings.processes > 1 else 0.0
        seconds: float | None = _plus(rounds * float(tried["run"]), starts, float(tried["trial"]), found.law("unlearn"))
    else:
        passes = found.machine.passes(FORWARD * sizes.parameters * tokens / settings.processes)
        seconds = _plus(passes, found.law("unlearn"))
    by: By = "trial" if tried else "unknown" if seconds is None else "law"
    peak = max((found.peaks[name] for name in found.peaks if name.startswith("unlearn")), default=0)
    disk = sizes.runs * (sizes.checkpoint_bytes + 30_000 + 15 * len(settings.grid) * sizes.choices)
    return Cost(seconds, by, settings.processes * (WORKER + peak), disk, 0, sizes.runs * settings.forget_documents, tokens)


def _effects(found: Found) -> Cost:
    return Cost(found.law("effects"), "law", 100_000_000, 1_000_000)


def _validate(found: Found) -> Cost:
    return Cost(found.law("validate"), "law", 50_000_000, 300_000)


def _report(found: Found) -> Cost:
    return Cost(found.law("report"), "law", 200_000_000, 8_000_000)


OFFICIAL_WEIGHTS = 113_000_000
"""Weights of a WebOrganizer classifier beside its embeddings."""

COSTS: Mapping[str, Callable[[Found], Cost]] = {
    "make_world": _make_world,
    "read": _read,
    "clean": _clean,
    "label": _label,
    "draw": _draw,
    "pretrain": _pretrain,
    "tokenise": _tokenise,
    "queries": _queries,
    "walk": _walk,
    "compare": _compare,
    "random_weights": _random_weights,
    "aggregate": _aggregate,
    "tail_patch": _tail_patch,
    "unlearn": _unlearn,
    "effects": _effects,
    "validate": _validate,
    "report": _report,
}
"""Stage -> function that estimates its cost."""
