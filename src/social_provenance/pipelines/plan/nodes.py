"""Nodes of the plan pipeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from social_provenance.annotations import Record
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.device_memory import GIGABYTE, found, memory_of_gpu
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import Shard
from social_provenance.documents.survey import describe, describe_survey, list_stages, survey
from social_provenance.errors import ProvenanceError
from social_provenance.forgetting.runs import memory
from social_provenance.forgetting.runs.forecast import forecast_steps
from social_provenance.forgetting.settings import Unlearning
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_trial import refuse_large, walk_memory
from social_provenance.gradients.walk.forecast import forecast_walk
from social_provenance.labelling.settings import Labelling
from social_provenance.language_model import LanguageModel, max_tokens
from social_provenance.pipelines.plan.params import Plan
from social_provenance.regions.grid import BINS

logger = logging.getLogger(__name__)


def survey_corpus(shards: list[Shard], documents: DocumentSettings, params: Plan) -> Record:
    """Estimate the content of the corpus from a few shards, and log it."""
    estimate = survey(shards, documents, params.shards, params.texts)
    logger.info("plan, %s", describe_survey(estimate))
    return estimate


def try_model(
    estimate: Record,
    model: LanguageModel,
    gradients: GradientSettings,
    distributed: Record,
    per_bin: int,
) -> Record:
    """Forecast the cost of gradients of the working set from steps on some texts."""
    documents = min(estimate["fit"], per_bin * len(BINS))
    return forecast_walk(estimate["texts"], documents, model, gradients, Distributed.model_validate(distributed))


def plan_memory(
    model: LanguageModel, gradients: GradientSettings, distributed: Record, unlearning: Unlearning, params: Plan
) -> Record:
    """Find the peak of GPU memory of the walk and of unlearning from shapes, log it, and warn of what does not fit."""
    config, divided = model.config(), Distributed.model_validate(distributed).fsdp
    tokens = min(gradients.max_tokens, max_tokens(config))
    room = memory_of_gpu() if params.gpu_gigabytes is None else round(params.gpu_gigabytes * GIGABYTE)
    # The walk of a divided model depends on its processes, and is not predicted.
    walk = None if divided else found(lambda: walk_memory(model, gradients), "a batch of the walk")
    runs = memory.run_memory(config, unlearning, tokens)
    peaks = ({} if walk is None else {"walk": walk}) | {f"unlearn, {stage}": peak for stage, peak in runs.items()}
    for stage, peak in peaks.items():
        logger.info("plan, %s: %.1f GB of GPU memory", stage, peak / GIGABYTE)
    checks: list[Callable[[], None]] = []
    if room is not None:
        checks += [] if divided else [partial(refuse_large, model, gradients, room)]
        checks.append(partial(memory.refuse_peaks, runs, unlearning, tokens, room))
    refusals = []
    for check in checks:
        try:
            check()
        except ProvenanceError as error:
            refusals.append(str(error))
            logger.warning("plan, this would be refused: %s", error)
    return {"gpu_bytes": room, "peaks": peaks, "refusals": refusals}


def plan_study(
    estimate: Record,
    walk: Record,
    labelling: Labelling,
    unlearning: Unlearning,
    evaluation: Evaluation,
    params: Plan,
) -> Record:
    """Forecast documents, tokens, bytes and hours of each stage, and log them."""
    later = {"walk": walk, "unlearn": forecast_steps(walk, unlearning, len(evaluation.benchmarks))}
    plan = list_stages(
        estimate,
        later,
        not labelling.keep_given,
        processes=params.processes,
        cleaned_a_second=params.cleaned_a_second,
        labels_a_second=params.labels_a_second,
    )
    for stage in plan:
        logger.info("plan, %s", describe(stage))
    return {"looked_at": estimate["looked_at"], "stages": plan}
