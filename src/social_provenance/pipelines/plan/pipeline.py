"""Pipeline that forecasts the cost of a study before it is run."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.plan import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline ``plan``: survey a few shards, try the model, and forecast the cost of each stage."""
    return Pipeline(
        [
            Node(
                nodes.survey_corpus,
                ["raw_documents", "params:documents", "params:plan"],
                "corpus_survey",
                name="survey_corpus",
            ),
            Node(
                nodes.try_model,
                [
                    "corpus_survey",
                    "language_model",
                    "params:gradients",
                    "params:attribution.distributed",
                    "params:working_set.per_bin",
                ],
                "walk_forecast",
                name="try_model",
            ),
            Node(
                nodes.plan_memory,
                [
                    "language_model",
                    "params:gradients",
                    "params:attribution.distributed",
                    "params:unlearning",
                    "params:plan",
                ],
                "memory_plan",
                name="plan_memory",
            ),
            Node(
                nodes.plan_study,
                [
                    "corpus_survey",
                    "walk_forecast",
                    "params:labelling",
                    "params:unlearning",
                    "params:evaluation",
                    "params:plan",
                ],
                "study_plan",
                name="plan_study",
            ),
        ]
    )
