"""The stages of a plan are those of a study: no node is in none of them, and none is named that is not there."""

from __future__ import annotations

import pytest

from social_provenance.pipeline_registry import CHECKS, SMALL_WORLD, STUDY, register_pipelines
from social_provenance.planning.costs import COSTS
from social_provenance.planning.laws import LAWS
from social_provenance.planning.stages import STAGES, stage_of, stages_of

PIPELINES = (*STUDY, *SMALL_WORLD, *CHECKS, "random_weights")


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_node_of_a_study_is_in_a_stage(pipeline: str) -> None:
    known = register_pipelines()
    own = {node.name for node in known[pipeline].nodes}
    assert own
    assert all(stage_of(node, pipeline) for node in own)
    named = {node for stage in stages_of([pipeline]) for node in stage.nodes}
    assert named <= own


def test_the_default_study_has_no_node_beside_these_pipelines() -> None:
    known = register_pipelines()
    inside = {node.name for name in PIPELINES for node in known[name].nodes}
    assert {node.name for node in known["__default__"].nodes} == inside


def test_each_stage_has_one_cost_and_stages_without_nodes_are_one_a_pipeline() -> None:
    assert [stage.name for stage in STAGES] == list(COSTS)
    assert set(LAWS) <= set(COSTS)
    rests = [stage.pipeline for stage in STAGES if not stage.nodes]
    assert len(rests) == len(set(rests))


def test_a_node_of_another_pipeline_has_no_stage() -> None:
    assert stage_of("retrain_fully", "counterfactual") is None
