"""Pipeline that forecasts the cost of a study before it is run."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.plan import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``plan``: survey a few shards, try the stages, estimate their cost, list refusals."""
    return Pipeline(
        [
            Node(
                nodes.survey_corpus,
                ["raw_documents", "params:documents", "params:labelling", "params:plan"],
                "corpus_survey",
                name="survey_corpus",
            ),
            Node(
                nodes.try_model,
                ["corpus_survey", "planned_model", "benchmark_items", "parameters"],
                "study_trials",
                name="try_model",
            ),
            Node(
                nodes.plan_memory,
                ["corpus_survey", "planned_model", "parameters"],
                "memory_plan",
                name="plan_memory",
            ),
            Node(
                nodes.plan_study,
                ["corpus_survey", "study_trials", "memory_plan", "study_places", "parameters"],
                "study_plan",
                name="plan_study",
            ),
            Node(
                nodes.refuse_study,
                ["corpus_survey", "study_trials", "memory_plan", "study_plan", "study_places"],
                "study_refusals",
                name="refuse_study",
            ),
        ]
    )
