"""Nodes of the plan pipeline."""

from __future__ import annotations

import logging

from social_provenance.annotations import Record
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import Shard
from social_provenance.documents.survey import describe, describe_survey, list_stages, survey
from social_provenance.forgetting.runs.forecast import forecast_steps
from social_provenance.forgetting.settings import Unlearning
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.forecast import forecast_walk
from social_provenance.labelling.settings import Labelling
from social_provenance.language_model import LanguageModel
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
