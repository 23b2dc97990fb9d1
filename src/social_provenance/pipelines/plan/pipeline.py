"""Pipeline that forecasts the cost of a study before it is run."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.plan import nodes

CORPUS = ("documents", "labelling", "working_set", "attribution", "gradients", "scoring")
MODEL = ("evaluation", "pretraining", "tail_patch", "unlearning", "bootstrap", "plan")
SETTINGS = ["corpus_settings", "model_settings"]


def create_pipeline() -> Pipeline:
    """Return the pipeline ``plan``: survey a few shards, try the stages, estimate their cost, list refusals."""
    return Pipeline(
        [
            Node(
                nodes.gather_corpus_settings,
                {block: f"params:{block}" for block in CORPUS},
                "corpus_settings",
                name="gather_corpus_settings",
            ),
            Node(
                nodes.gather_model_settings,
                {block: f"params:{block}" for block in MODEL},
                "model_settings",
                name="gather_model_settings",
            ),
            Node(
                nodes.survey_corpus,
                ["raw_documents", "params:documents", "params:labelling", "params:plan"],
                "corpus_survey",
                name="survey_corpus",
            ),
            Node(
                nodes.try_model,
                ["corpus_survey", "planned_model", "benchmark_items", *SETTINGS],
                "study_trials",
                name="try_model",
            ),
            Node(
                nodes.plan_memory,
                ["corpus_survey", "planned_model", *SETTINGS],
                "memory_plan",
                name="plan_memory",
            ),
            Node(
                nodes.plan_study,
                ["corpus_survey", "study_trials", "memory_plan", "study_places", *SETTINGS],
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
