"""Nodes of the plan pipeline."""

from __future__ import annotations

import logging
from typing import Any

from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import Shard
from social_provenance.documents.survey import describe, list_stages, survey
from social_provenance.gradients.forecast import forecast_walk
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.language_model import LanguageModel
from social_provenance.pipelines.plan.params import Plan
from social_provenance.regions.grid import BINS

logger = logging.getLogger(__name__)


def survey_corpus(shards: list[Shard], documents: DocumentSettings, params: Plan) -> dict[str, Any]:
    """Return what the corpus has, judged by a few shards."""
    return survey(shards, documents, params.shards, params.texts)


def plan_study(
    found: dict[str, Any],
    model: LanguageModel,
    gradients: GradientSettings,
    distributed: dict[str, Any],
    per_bin: int,
    params: Plan,
) -> dict[str, Any]:
    """Return documents, tokens, bytes and hours of each stage, and say them."""
    documents = min(found["fit"], per_bin * len(BINS))
    walk = forecast_walk(found["texts"], documents, model, gradients, Distributed.model_validate(distributed))
    plan = list_stages(found, walk, params.processes, params.labels_a_second)
    for stage in plan:
        logger.info("plan, %s", describe(stage))
    return {"looked_at": found["looked_at"], "stages": plan}
