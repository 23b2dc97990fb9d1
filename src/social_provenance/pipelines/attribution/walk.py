"""The walk over the corpus, as a template, and its instance under random weights."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from social_provenance.pipelines.attribution import nodes

SCORING = "params:scoring"
SETTINGS = ["params:gradients", "params:attribution"]


def foresee() -> list[Node]:
    """Return the nodes that refuse a walk that would fail, as early as that is known."""
    return [
        Node(nodes.foresee_walk, ["language_model", *SETTINGS], None, name="foresee_walk"),
        Node(
            nodes.foresee_scores,
            ["working_set", "sampling_contract", "language_model", *SETTINGS, SCORING],
            None,
            name="foresee_scores",
        ),
    ]


def create_walk() -> Pipeline:
    """Return the template: gradients of corpus and queries under one model, and their comparison."""
    return Pipeline(
        [
            Node(
                nodes.collect_corpus_gradients,
                ["corpus_tokens", "language_model", *SETTINGS],
                "corpus_gradients",
                name="collect_corpus_gradients",
            ),
            Node(
                nodes.collect_query_gradients,
                ["queries", "language_model", "query_model", *SETTINGS],
                "query_gradients",
                name="collect_query_gradients",
            ),
            Node(
                nodes.collect_choice_gradients,
                ["queries", "language_model", "query_model", *SETTINGS],
                "choice_gradients",
                name="collect_choice_gradients",
            ),
            Node(
                nodes.weigh_choices,
                ["queries", "query_gradients", "choice_gradients", *SETTINGS],
                "choice_weights",
                name="weigh_choices",
            ),
            Node(
                nodes.compose_queries,
                ["query_gradients", "choice_gradients", "choice_weights"],
                "composed_gradients",
                name="compose_queries",
            ),
            Node(
                nodes.compare_gradients,
                ["corpus_gradients", "query_gradients", "composed_gradients", SCORING],
                "gradient_scores",
                name="compare_gradients",
            ),
        ]
    )


def create_random_weights() -> Pipeline:
    """Return the pipeline ``random_weights``: the same walk with a model that was never trained, as a null."""
    walk = Pipeline(
        create_walk().nodes,
        namespace="random_weights",
        inputs={
            "corpus_tokens": "corpus_tokens",
            "language_model": "random_model",
            "query_model": "random_model",
            "queries": "item_queries",
        },
        outputs={"gradient_scores": "random_gradient_scores"},
        parameters={*SETTINGS, SCORING},
    )
    return Pipeline(
        [
            Node(
                nodes.randomise_model,
                ["language_model", "params:attribution"],
                "random_model",
                name="randomise_model",
            ),
            Node(nodes.keep_items, "queries", "item_queries", name="keep_items"),
            *walk.nodes,
            Node(
                nodes.name_random_scores, "random_gradient_scores", "random_weights_scores", name="name_random_scores"
            ),
        ]
    )
