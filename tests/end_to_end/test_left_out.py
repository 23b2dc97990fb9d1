"""Half a study is a study: what a pipeline may leave out, the report does without, and says how to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.datasets.optional import OptionalDataset
from social_provenance.pipelines.reporting import create_pipeline
from social_provenance.report.verdicts import TRIED_BY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kedro.io import DataCatalog

GROUPS = {
    "unlearning": ("unlearning_", "balance"),
    "tail_patch": ("tail_patch",),
    "counterfactual": ("counterfactual_",),
    "validation": ("validation", "planted_"),
    "worlds": ("world_",),
    "query_audit": ("query_audit",),
    "trajectory": ("influence_trajectory",),
}
"""Pipeline -> how the names of its tables begin."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Kedro runs in this process


@pytest.fixture(scope="module")
def catalog(test_study: Path) -> Iterator[DataCatalog]:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    project = bootstrap_project(".").project_path
    given = {"root": str(test_study)}
    with KedroSession.create(project, env="test", runtime_params=given, save_on_close=False) as session:
        yield session.load_context().catalog


@pytest.fixture(scope="module")
def loaded(catalog: DataCatalog) -> dict[str, Any]:
    """Return what the reporting reads of a finished study."""
    return {name: catalog.load(name) for name in create_pipeline().inputs()}


def report(given: dict[str, Any]) -> dict[str, Any]:
    """Return what every node of the reporting returns."""
    made = dict(given)
    for node in create_pipeline().nodes:
        made |= node.run({name: made[name] for name in node.inputs})
    return made


def test_every_optional_table_of_the_report_is_left_out_here(catalog: DataCatalog, loaded: dict[str, Any]) -> None:
    optional = {name for name in loaded if isinstance(catalog.get(name), OptionalDataset)} - {"lineage"}
    named = {name for prefixes in GROUPS.values() for name in optional if name.startswith(prefixes)}
    assert optional == named
    assert {name for name in loaded if name.startswith("unlearning_")} <= optional


@pytest.mark.parametrize("pipeline", GROUPS)
def test_a_report_without_a_pipeline_is_a_report(loaded: dict[str, Any], pipeline: str) -> None:
    gone = [name for name in loaded if name.startswith(GROUPS[pipeline])]
    assert gone
    made = report({**loaded, **dict.fromkeys(gone)})
    assert all(made[name] is not None for node in create_pipeline().nodes for name in node.outputs)
    assert made["report"].startswith("<!doctype html>")
    for question, how in TRIED_BY.items():
        if f"run {pipeline}," in how:
            verdicts = made["verdicts"]
            assert set(verdicts.loc[verdicts["question"] == question, "verdict"]) == {"not tried"}
            assert how in made["verdicts_section"]


def test_a_report_without_any_of_them_is_a_report(loaded: dict[str, Any]) -> None:
    every = tuple(prefix for prefixes in GROUPS.values() for prefix in prefixes)
    made = report({name: None if name.startswith(every) else value for name, value in loaded.items()})
    assert "kedro run --pipelines unlearning,reporting" in made["report"]
    assert ">None<" not in made["report"]
    assert "not run: kedro run --pipelines unlearning,reporting" in made["unlearning_figure"].to_json()


def test_a_report_of_everything_says_of_unlearning_what_it_did(loaded: dict[str, Any]) -> None:
    assert "No unlearning was run" not in report(loaded)["report"]
