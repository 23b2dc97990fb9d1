"""Every pipeline is registered, the sums are sums, and each runs from what the ones before have kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.pipeline_registry import APART, CHECKS, SMALL_WORLD, STUDY, register_pipelines

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

ORDER = (
    "miniature",
    "corpus",
    "taxonomy",
    "pretraining",
    "attribution",
    "random_weights",
    "tail_patch",
    "aggregation",
    "unlearning",
    "validation",
    "reporting",
)
GIVEN = {"lineage"}
"""Written by a hook, not by a node."""
OPTIONAL = {
    *("reference_files", "query_model", "random_weights_scores", "tail_patch"),
    *("counterfactual_agreement", "world_metrics", "query_audit", "influence_trajectory"),
}
"""Read where they are there."""

PLANNED = {"planned_model", "study_places"}
"""What a plan reads of a study before there is one: the place of its model, and its places, from the catalog."""


@pytest.fixture(scope="module")
def registered() -> dict[str, Pipeline]:
    return register_pipelines()


def names(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def datasets(found: set[str]) -> set[str]:
    """Return the datasets among inputs or outputs, views of one (``@``) as one."""
    given = {name for name in found if name == "parameters" or name.startswith("params:")}
    return {name.split("@")[0] for name in found - given} - GIVEN


def brought(registered: dict[str, Pipeline], own: Pipeline) -> set[str]:
    """Return what a study reads and does not make; what the validation makes is optional."""
    return datasets(own.inputs()) - datasets(registered["validation"].all_outputs()) - OPTIONAL


@pytest.mark.parametrize("name", ["provenance", "__default__"])
@pytest.mark.parametrize(
    "early", ["foresee_scores", "render_benchmarks", "foresee_unlearning", "foresee_walk", "foresee_runs"]
)
def test_what_is_known_early_is_refused_before_the_walk(registered: dict[str, Pipeline], name: str, early: str) -> None:
    order = [node.name for node in registered[name].nodes]
    assert order.index(early) < min(place for place, node in enumerate(order) if "collect_corpus_gradients" in node)


def test_the_pipelines_of_the_study_are_registered(registered: dict[str, Pipeline]) -> None:
    assert set(registered) == {*ORDER, *APART, "provenance", "__default__"}
    assert {*STUDY, *SMALL_WORLD, *CHECKS, "random_weights"} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_every_pipeline_has_nodes(registered: dict[str, Pipeline], name: str) -> None:
    assert registered[name].nodes


def test_provenance_is_the_six(registered: dict[str, Pipeline]) -> None:
    assert names(registered["provenance"]) == set().union(*(names(registered[name]) for name in STUDY))


def test_the_default_is_everything_and_nothing_twice(registered: dict[str, Pipeline]) -> None:
    each = [node.name for name in ORDER for node in registered[name].nodes]
    assert sorted(each) == sorted(node.name for node in registered["__default__"].nodes)


@pytest.mark.parametrize("name", APART)
def test_what_is_apart_is_in_no_sum_and_runs_from_what_a_study_leaves(
    registered: dict[str, Pipeline], name: str
) -> None:
    own, study = registered[name], registered["__default__"]
    assert names(own)
    assert not names(own) & names(study)
    assert datasets(own.inputs()) - PLANNED <= datasets(study.all_outputs())
    assert not datasets(own.all_outputs()) & datasets(study.all_outputs())


@pytest.mark.parametrize("place", range(len(ORDER)), ids=ORDER)
def test_a_pipeline_needs_only_what_those_before_it_write(registered: dict[str, Pipeline], place: int) -> None:
    before = {name for earlier in ORDER[:place] for name in datasets(registered[earlier].all_outputs())}
    assert datasets(registered[ORDER[place]].inputs()) - OPTIONAL <= before


def test_a_study_of_ones_own_needs_a_corpus_and_benchmarks(registered: dict[str, Pipeline]) -> None:
    own = registered["pretraining"] + registered["provenance"]
    assert brought(registered, own) == {"raw_documents", "benchmark_items"}


def test_a_study_with_a_model_of_ones_own_needs_no_pretraining(registered: dict[str, Pipeline]) -> None:
    own = registered["provenance"]
    assert brought(registered, own) == {"raw_documents", "benchmark_items", "language_model"}
