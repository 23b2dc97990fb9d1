"""Nodes of the plan pipeline."""

from __future__ import annotations

import logging
from pathlib import Path

from social_provenance.annotations import Record
from social_provenance.device_memory import GIGABYTE, found, memory_of_gpu
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import Shard
from social_provenance.documents.survey import describe_survey
from social_provenance.encoding import Encoder
from social_provenance.forgetting.runs import memory
from social_provenance.gradients.walk.bergson_trial import walk_memory
from social_provenance.labelling.settings import Labelling
from social_provenance.language_model import LanguageModel, max_tokens
from social_provenance.pipelines.plan.params import Plan
from social_provenance.planning.corpus import try_corpus
from social_provenance.planning.costs import estimate_costs
from social_provenance.planning.found import Found
from social_provenance.planning.laws import measure_machine
from social_provenance.planning.places import bytes_of_limit, places_to_check
from social_provenance.planning.refusals import checks_of_model, list_refusals
from social_provenance.planning.shape import model_to_try
from social_provenance.planning.sizes import Sizes
from social_provenance.planning.stages import stages_of
from social_provenance.planning.study import Study, plain_blocks
from social_provenance.planning.table import describe, tabulate
from social_provenance.planning.try_study import try_study
from social_provenance.processes import memory_held

logger = logging.getLogger(__name__)

PRETRAINING = "pretraining"


def gather_corpus_settings(**blocks: object) -> Record:
    """Return the parameters of corpus and attribution that the cost of a study depends on, as plain values."""
    return plain_blocks(blocks)


def gather_model_settings(**blocks: object) -> Record:
    """Return the parameters of what trains or tests a model, as plain values."""
    return plain_blocks(blocks)


def survey_corpus(shards: list[Shard], documents: DocumentSettings, labelling: Labelling, params: Plan) -> Record:
    """Estimate the content of the corpus from a few shards, clean and label them, and log what they have."""
    estimate = try_corpus(shards, documents, labelling, params.shards, params.texts)
    logger.info("plan, %s", describe_survey(estimate))
    return estimate


def try_model(
    estimate: Record, model: LanguageModel | None, benchmarks: Path, corpus: Record, training: Record
) -> Record:
    """Count the study, and try its stages on a sample, with the model or one of its shape."""
    params = Plan.model_validate(training["plan"])
    study, stages = Study.of({**corpus, **training}), [stage.name for stage in stages_of(params.pipelines)]
    trained = study.pretraining if PRETRAINING in params.pipelines else None
    with model_to_try(None if trained else model, estimate["texts"], trained) as tried:
        return try_study(estimate, tried, benchmarks, study, stages)


def plan_memory(estimate: Record, model: LanguageModel | None, corpus: Record, training: Record) -> Record:
    """Find the peak of memory of the walk and of unlearning from shapes, and what would be refused of a model."""
    params = Plan.model_validate(training["plan"])
    study = Study.of({**corpus, **training})
    room = memory_of_gpu() if params.gpu_gigabytes is None else round(params.gpu_gigabytes * GIGABYTE)
    trained = study.pretraining if PRETRAINING in params.pipelines else None
    with model_to_try(None if trained else model, estimate["texts"], trained) as tried:
        # The walk of a divided model depends on its processes, and is not predicted.
        walk = None
        if not study.distributed.fsdp:
            walk = found(lambda: walk_memory(tried, study.gradients), "a batch of the walk")
        tokens = min(study.gradients.max_tokens, max_tokens(tried.config()))
        runs = memory.run_memory(tried.config(), study.unlearning, tokens)
        refusals = list_refusals(checks_of_model(tried, study, room))
        # Where a GPU has the model, the host holds no more of it than the weights that it reads.
        longest = max(map(len, Encoder(tried.tokenizer()).documents(estimate["texts"], tokens)))
        host = {} if room is not None else memory.run_memory(tried.config(), study.unlearning, longest)
    known = {} if walk is None else {"walk": walk}
    peaks = known | {f"unlearn, {stage}": peak for stage, peak in runs.items()}
    on_host = {f"unlearn, {stage}": peak for stage, peak in host.items()} | ({} if room is not None else known)
    for stage, peak in peaks.items():
        logger.info("plan, %s: %.1f GB of memory of the device", stage, peak / GIGABYTE)
    return {"gpu_bytes": room, "peaks": peaks, "host_peaks": on_host, "refusals": refusals}


def plan_study(
    estimate: Record, trials: Record, peaks: Record, places: Record, corpus: Record, training: Record
) -> Record:
    """Estimate hours, memory, disk and spill of each stage, and log them."""
    params = Plan.model_validate(training["plan"])
    study, here = Study.of({**corpus, **training}), memory_of_gpu()
    steps = study.pretraining.max_steps
    machine = measure_machine(
        study.gradients.precision, params.gpu_teraflops, has_device=here is not None or params.gpu_gigabytes is None
    )
    costs = estimate_costs(
        Found(
            study=study,
            sizes=Sizes(**trials["sizes"]),
            survey={**estimate, **{name: value for name, value in trials.items() if name not in {"sizes", "trials"}}},
            trials=trials["trials"],
            machine=machine,
            memory_limit=bytes_of_limit(places["connection"]),
            processes=params.processes,
            pretraining_steps=min(steps, params.pretraining_steps or steps),
            host_peaks=peaks["host_peaks"],
        ),
        params.pipelines,
    )
    rows = tabulate(costs, study, memory_held(), peaks["peaks"], gpu=peaks["gpu_bytes"] is not None)
    for row in rows:
        logger.info("plan, %s", describe(row))
    return {"looked_at": estimate["looked_at"], "stages": rows}


def refuse_study(estimate: Record, trials: Record, peaks: Record, plan: Record, places: Record) -> Record:
    """List what the run would be refused for, a line each, and log it."""
    known = [line for record in (estimate, trials, peaks) for line in record["refusals"]]
    refusals = [*known, *list_refusals(places_to_check(plan["stages"], places))]
    for line in refusals:
        logger.warning("plan, this would be refused: %s", line)
    return {"refusals": refusals}
