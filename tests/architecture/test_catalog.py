"""No dataset falls back to memory, none is dead, every table has a schema."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from kedro.inspection import get_project_snapshot
from kedro.pipeline import Node, Pipeline

from guards.catalog import (
    accidental_memory,
    dead_entries,
    loose_ends,
    needed_from_small_world,
    tables_without_schema,
)
from guards.project import ROOT, Project, environments, read_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def count_words(documents: object) -> object:
    return documents


@pytest.fixture
def with_node(project: Project) -> Callable[[str, str], Project]:
    """Return a function that adds a node from one dataset to another to the pipeline ``corpus``."""

    def add(source: str, target: str) -> Project:
        node = Pipeline([Node(count_words, source, target, name="count_words")])
        return replace(project, pipelines={**project.pipelines, "corpus": project.pipelines["corpus"] + node})

    return add


@pytest.mark.parametrize("env", environments())
def test_every_dataset_of_every_node_is_in_the_catalog(env: str) -> None:
    assert accidental_memory(read_project(env=env)) == []


def test_a_misspelled_output_is_found(with_node: Callable[[str, str], Project]) -> None:
    found = accidental_memory(with_node("documents", "corpus_sumary"))
    assert found == ["count_words: corpus_sumary has no catalog entry, so it would be in memory"]


def test_a_misspelled_input_is_found(with_node: Callable[[str, str], Project]) -> None:
    found = accidental_memory(with_node("document", "bin_prevalence"))
    assert found == ["count_words: document has no catalog entry, so it would be in memory"]


def test_a_dataset_that_a_pattern_keeps_is_no_accident(with_node: Callable[[str, str], Project]) -> None:
    project = with_node("documents", "word_counts")
    entry = {"type": "json.JSONDataset", "filepath": "data/{name}.json"}
    assert accidental_memory(project) != []
    assert accidental_memory(replace(project, catalog={**project.catalog, "{name}_counts": entry})) == []


def test_what_a_pattern_keeps_is_written_and_read(project: Project) -> None:
    assert loose_ends(project) == []


@pytest.mark.parametrize(
    ("source", "target", "finding"),
    [
        ("documents", "influnce_figure", "no node reads it"),
        ("influnce_figure", "bin_prevalence", "no node writes it"),
        ("influence_figure", "words_section", "no node reads it"),
    ],
)
def test_a_name_that_only_fits_a_pattern_is_found(
    with_node: Callable[[str, str], Project], source: str, target: str, finding: str
) -> None:
    project = with_node(source, target)
    assert accidental_memory(project) == []
    (found,) = loose_ends(project)
    assert found.endswith(finding)


def test_kedro_sees_the_same_datasets(project: Project) -> None:
    snapshot = get_project_snapshot(ROOT)
    used = {name for node in project.nodes() for name in [*node.inputs, *node.outputs]}
    kept = {name for name in used if project.pattern_of(name)}
    assert kept
    assert set(snapshot.datasets) == {name for name in project.catalog if "{" not in name} | kept
    assert {pipeline.name for pipeline in snapshot.pipelines} == set(project.pipelines)


def test_every_entry_is_used(project: Project) -> None:
    assert dead_entries(project) == []


def test_a_dead_entry_is_found(conf: Path, project: Project, append: Callable[[Path, str], None]) -> None:
    append(conf / "base" / "catalog_corpus.yml", "\nword_counts: {type: json.JSONDataset, filepath: data/words.json}\n")
    found = dead_entries(read_project(conf, pipelines=project.pipelines))
    assert found == ["word_counts: no node reads or writes it"]


def test_an_unused_pattern_is_found(project: Project) -> None:
    entry = {"type": "json.JSONDataset", "filepath": "data/{name}.json"}
    found = dead_entries(replace(project, catalog={**project.catalog, "{name}_counts": entry}))
    assert found == ["{name}_counts: no node reads or writes it"]


def test_every_table_has_a_validator(project: Project) -> None:
    assert tables_without_schema(project) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "pandas.ParquetDataset", "filepath": "t.parquet"},
        {"type": "social_provenance.datasets.TableFile", "filepath": "t.parquet"},
        {
            "type": "social_provenance.datasets.OptionalDataset",
            "filepath": "t.parquet",
            "dataset": {"type": "pandas.ParquetDataset"},
        },
    ],
    ids=["pandas", "ibis", "optional"],
)
def test_a_table_without_validator_is_found(project: Project, entry: dict[str, object]) -> None:
    found = tables_without_schema(replace(project, catalog={"table": entry}))
    assert found == ["table: a table without a validator"]


def test_one_view_of_a_dataset_may_be_checked_for_all(project: Project) -> None:
    table = {"type": "pandas.ParquetDataset", "filepath": "t.parquet"}
    catalog = {"table@parts": table, "table@whole": {**table, "validator": "a.B"}}
    assert tables_without_schema(replace(project, catalog=catalog)) == []


def test_a_study_on_other_data_does_without_the_small_world(project: Project) -> None:
    assert needed_from_small_world(project) == []


def test_a_pattern_does_not_stand_in_for_an_optional_dataset(project: Project) -> None:
    catalog = {name: entry for name, entry in project.catalog.items() if name != "planted_figure"}
    (found,) = needed_from_small_world(replace(project, catalog=catalog))
    assert found.startswith("provenance reads planted_figure, which only the small world makes")


def test_a_need_of_the_small_world_is_found(project: Project) -> None:
    node = Pipeline([Node(count_words, "pretraining_log", "word_counts", name="count_words")])
    pipelines = {**project.pipelines, "provenance": project.pipelines["provenance"] + node}
    (found,) = needed_from_small_world(replace(project, pipelines=pipelines))
    assert found.startswith("provenance reads pretraining_log, which only the small world makes")
