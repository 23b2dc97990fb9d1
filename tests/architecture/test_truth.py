"""No stage that has to find the provenance knows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Node, Pipeline

from guards.project import SOURCE, Project
from guards.truth import telling_fields, telling_items, truth_named, truth_readers, truth_receivers
from social_provenance.pipelines.miniature.nodes import write_benchmarks, write_corpus, write_truth
from social_provenance.pipelines.miniature.params import Miniature
from social_provenance.regions.grid import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORLD = Miniature(documents_per_bin=1, document_chars=60, facts_per_document=2, items_per_fact=1)


def peek(told: object) -> object:
    return told


def with_node(project: Project, pipeline: str, source: str, target: str = "peeked") -> Project:
    """Return the project with one more node in a pipeline."""
    node = Pipeline([Node(peek, source, target, name="peek")])
    return replace(project, pipelines={**project.pipelines, pipeline: project.pipelines[pipeline] + node})


def test_only_those_who_plant_or_check_read_the_truth(project: Project) -> None:
    assert truth_readers(project) == []
    assert truth_receivers(project) == []


@pytest.mark.parametrize("source", ["miniature_truth", "params:miniature", "params:miniature.seed", "parameters"])
@pytest.mark.parametrize("pipeline", ["attribution", "reporting"])
def test_a_stage_that_reads_the_truth_is_found(project: Project, pipeline: str, source: str) -> None:
    assert truth_readers(with_node(project, pipeline, source)) == [f"{pipeline}: peek reads {source}"]


def test_a_stage_that_reads_what_is_made_from_the_truth_is_found(project: Project) -> None:
    leaky = with_node(with_node(project, "validation", "miniature_truth", "hints"), "aggregation", "hints")
    assert truth_receivers(leaky) == ["aggregation: peek reads hints, which is made from miniature_truth"]


def test_truth_is_followed_through_several_nodes(project: Project) -> None:
    leaky = with_node(project, "validation", "miniature_truth", "hints")
    leaky = replace(
        leaky,
        pipelines={
            **leaky.pipelines,
            "miniature": leaky.pipelines["miniature"] + Pipeline([Node(peek, "hints", "tips", name="pass_on")]),
        },
    )
    (found,) = truth_receivers(with_node(leaky, "unlearning", "tips"))
    assert found == "unlearning: peek reads tips, which is made from miniature_truth"


def test_reporting_shows_the_validation_and_passes_nothing_on(project: Project) -> None:
    shown = with_node(project, "reporting", "validation", "summary")
    assert truth_receivers(shown) == []
    (found,) = truth_receivers(with_node(shown, "attribution", "summary"))
    assert found.startswith("attribution: peek reads summary")


def test_no_other_module_names_the_truth() -> None:
    assert truth_named(SOURCE) == []


@pytest.mark.parametrize(
    "line", ["import pandas as pd; pd.read_parquet('miniature_truth.parquet')", "import social_provenance.miniature"]
)
def test_a_module_that_names_the_truth_is_found(copy: Path, append: Callable[[Path, str], None], line: str) -> None:
    source = copy / "src" / "social_provenance"
    append(source / "estimation" / "maps" / "aggregate.py", f"\n{line}\n")
    (found,) = truth_named(source)
    assert found.startswith("estimation/maps/aggregate.py: ")


def test_raw_records_do_not_tell_what_was_planted() -> None:
    assert telling_fields(write_corpus(WORLD)) == []


@pytest.mark.parametrize("field", ["planted", "decoy", "role"])
def test_a_telling_field_is_found(field: str) -> None:
    records: list[dict[str, Any]] = write_corpus(WORLD)
    records[7]["metadata"][field] = "social_reasoning"
    assert telling_fields(records) == [f"field {field}"]


def test_records_without_given_labels_tell_no_topic() -> None:
    records = write_corpus(WORLD)
    bare = [record for record in records if "weborganizer" not in record["metadata"]]
    assert len(bare) == round(0.4 * len(records))
    assert {tuple(sorted(record["metadata"])) for record in bare} == {("url",)}


def test_names_of_documents_tell_nothing() -> None:
    truth = write_truth(WORLD)
    assert list(truth["doc_id"]) == [record["id"] for record in write_corpus(WORLD)]
    planted = truth["planted"].notna()
    neighbours = (planted & planted.shift(fill_value=False)).sum() / planted.sum()
    assert neighbours < 2 * planted.mean()  # in the order of topics nearly every one has such a neighbour


def test_benchmark_items_do_not_tell_where_their_facts_are() -> None:
    assert telling_items(write_benchmarks(WORLD)["items"], TOPICS) == []


def test_an_item_that_tells_its_topic_is_found() -> None:
    items = write_benchmarks(WORLD)["items"]
    items["stem_reasoning"][0]["source"] = "literature"
    assert telling_items(items, TOPICS) == ["stem_reasoning: an item names literature"]
