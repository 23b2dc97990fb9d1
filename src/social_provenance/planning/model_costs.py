"""Costs of the stages that run the model."""

from __future__ import annotations

from social_provenance.gradients.walk.collect import store_bytes
from social_provenance.planning.corpus_costs import WORKER
from social_provenance.planning.found import By, Cost, Found, plus
from social_provenance.planning.trials import Line

FORWARD, WALK, STEP = 2, 4, 6
"""Floating-point operations per weight and token of a forward pass, of one with the gradient of activations, and of one
with that of the weights too."""
STATE = 16
"""Bytes of a trained fp32 weight: itself, its gradient, two moments."""


def pretrain(found: Found) -> Cost:
    """Return the cost of the tokenizer, the steps and the evaluations of pretraining."""
    sizes, settings = found.sizes, found.study.pretraining
    steps = found.pretraining_steps
    evaluations = -(-steps // settings.evaluate_every)
    batch = settings.batch_sequences * settings.sequence_tokens
    disk = 4 * sizes.parameters * (2 + len([step for step in settings.checkpoints if step <= steps]))
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


def tokenise(found: Found) -> Cost:
    """Return the cost of the token sequences of the attributed documents."""
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


def queries(found: Found) -> Cost:
    """Return the cost of rendering the items, and the gradients of the queries."""
    sizes = found.sizes
    walked = _passes(found, sizes.query_tokens, sizes.sets)
    seconds = plus(walked, found.survey["render_seconds"], found.law("queries"))
    if found.study.queries["items"] != "all":
        answered = found.trials.get("pretrain")
        tokens = sizes.evaluation_tokens
        score = found.machine.passes(FORWARD * sizes.parameters * tokens)
        seconds = plus(seconds, Line(**answered["score"]).at(sizes.attribution_choices) if answered else score)
    fixed, width = store_bytes(sizes.dimensions, sizes.hidden, found.study.gradients)
    disk = sizes.sets * fixed + sizes.queries * width
    return Cost(seconds, _by(found, walked), _model(found), disk, 0, sizes.queries, sizes.query_tokens)


def _model(found: Found) -> int:
    """Return the bytes of host memory of a walk: all of it on a CPU, the weights while they are read otherwise."""
    return found.host_peaks.get("walk", 4 * found.sizes.parameters)


def _store(found: Found) -> int:
    fixed, width = store_bytes(found.sizes.dimensions, found.sizes.hidden, found.study.gradients)
    ranks = found.study.attributed_per_bin or found.study.per_bin
    return -(-ranks // found.study.gradients.ranks_per_shard) * fixed + found.sizes.attributed * width


def walk(found: Found) -> Cost:
    """Return the cost of the gradients of the documents."""
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


def compare(found: Found) -> Cost:
    """Return the cost of the scores of all methods."""
    sizes, settings = found.sizes, found.study
    tried = found.trials.get("compare")
    texts = Line(**tried["texts"]).at(sizes.attributed) if tried else 0.0
    seconds = plus(_compared(found), texts, found.law("compare"))
    by: By = "unknown" if seconds is None else "trial" if tried else "law"
    rows = min(settings.scoring.chunk, sizes.attributed)
    joint = 3 * 4 * sizes.dimensions**2 if "trak" in settings.scoring.methods else 0
    cells = int(found.counts["cells"])
    disk = cells * (8 * (1 + len(settings.nulls)) + 30) + 40 * sizes.attributed * sizes.sets
    return Cost(seconds, by, 5 * 4 * rows * sizes.dimensions + joint, disk, 0, sizes.attributed)


def random_weights(found: Found) -> Cost:
    """Return the cost of the walk and the comparison under random weights."""
    walked, sizes = walk(found), found.sizes
    asked = sizes.query_tokens / (1 + len(found.study.nulls))
    compared = _compared(found)
    shared = None if compared is None else compared / (1 + len(found.study.nulls))
    queries = _passes(found, asked, sizes.benchmarks)
    seconds = plus(walked.seconds, queries, shared, found.law("random_weights"))
    fixed, width = store_bytes(sizes.dimensions, sizes.hidden, found.study.gradients)
    disk = walked.disk + sizes.benchmarks * fixed + sizes.queries // (1 + len(found.study.nulls)) * width
    disk += 4 * sizes.parameters + 40 * sizes.attributed * sizes.benchmarks
    return Cost(seconds, _by(found, seconds), walked.host, disk, 0, sizes.attributed, sizes.tokens + round(asked))


def tail_patch(found: Found) -> Cost:
    """Return the cost of the patches of all regions."""
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


def unlearn(found: Found) -> Cost:
    """Return the cost of all unlearning runs."""
    sizes, settings = found.sizes, found.study.unlearning
    tokens, tried = sizes.runs * sizes.run_tokens, found.trials.get("unlearn")
    if tried is not None:
        rounds = -(-sizes.runs // settings.processes)
        starts = float(tried["start"]) if settings.processes > 1 else 0.0
        seconds: float | None = plus(rounds * float(tried["run"]), starts, float(tried["trial"]), found.law("unlearn"))
    else:
        passes = found.machine.passes(FORWARD * sizes.parameters * tokens / settings.processes)
        seconds = plus(passes, found.law("unlearn"))
    by: By = "trial" if tried else "unknown" if seconds is None else "law"
    peak = max((found.host_peaks[name] for name in found.host_peaks if name.startswith("unlearn")), default=0)
    disk = sizes.runs * (sizes.checkpoint_bytes + 30_000 + 15 * len(settings.grid) * sizes.choices)
    return Cost(
        seconds, by, settings.processes * (WORKER + peak), disk, 0, sizes.runs * settings.forget_documents, tokens
    )
