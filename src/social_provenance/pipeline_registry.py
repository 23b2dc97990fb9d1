"""The pipelines that ``kedro run`` knows."""

from __future__ import annotations

from importlib import import_module

from kedro.pipeline import Pipeline

STUDY = ("corpus", "taxonomy", "attribution", "aggregation", "unlearning", "reporting")
"""The six of the study; they run on any corpus, model and benchmarks."""

SMALL_WORLD = ("miniature", "pretraining", "validation")
"""What the default study has besides: a world, a model trained on it, and the check against it."""

CHECKS = ("tail_patch",)
"""What the default study asks besides, of any model and corpus."""

APART = ("plan", "query_audit", "trajectory", "counterfactual", "worlds")
"""Questions to a finished study; they run only when they are named."""


def register_pipelines() -> dict[str, Pipeline]:
    """Return each pipeline by its name, ``provenance`` (the six), and ``__default__`` (all but those apart)."""
    pipelines = _create(STUDY + SMALL_WORLD + CHECKS)
    pipelines["random_weights"] = import_module("social_provenance.pipelines.attribution").create_random_weights()
    everything = sum(pipelines.values(), Pipeline([]))
    provenance = sum((pipelines[name] for name in STUDY), Pipeline([]))
    return pipelines | _create(APART) | {"provenance": provenance, "__default__": everything}


def _create(names: tuple[str, ...]) -> dict[str, Pipeline]:
    return {name: import_module(f"social_provenance.pipelines.{name}").create_pipeline() for name in names}
