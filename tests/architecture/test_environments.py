"""Each environment resolves; it changes roots and sizes, never structure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from guards.environments import changed_structure, unresolved_entries
from guards.project import BASE, CONF, Project, environments, read_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHERS = [env for env in environments() if env != BASE]


def test_the_test_environment_is_there() -> None:
    assert {BASE, "test"} <= set(environments())


@pytest.mark.parametrize("env", environments())
def test_every_environment_resolves(env: str) -> None:
    assert unresolved_entries(read_project(env=env)) == []


def test_a_dataset_type_that_is_not_there_is_found(project: Project) -> None:
    entry = {"type": "social_provenance.datasets.TabelFile", "filepath": "t.parquet"}
    (found,) = unresolved_entries(replace(project, catalog={"documents": entry}))
    assert found.startswith("documents: ")
    assert "TabelFile" in found


def test_a_validator_that_is_not_there_is_found(project: Project) -> None:
    entry = {"type": "pandas.ParquetDataset", "filepath": "t.parquet", "validator": "social_provenance.schemas.No"}
    (found,) = unresolved_entries(replace(project, catalog={"documents": entry}))
    assert found.startswith("documents: ")
    assert "social_provenance.schemas.No" in found


@pytest.mark.parametrize("env", OTHERS)
def test_an_environment_changes_roots_and_sizes_only(env: str) -> None:
    assert changed_structure(CONF, env) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "word_counts: {type: json.JSONDataset, filepath: data/words.json}",
            "test: catalog entry word_counts is in one of base and test only",
        ),
        (
            "corpus_summary: {type: pickle.PickleDataset, filepath: data/summary.pickle}",
            "test: catalog entry corpus_summary changes type",
        ),
    ],
    ids=["new entry", "other type"],
)
def test_a_changed_catalog_is_found(conf: Path, text: str, finding: str) -> None:
    (conf / "test" / "catalog.yml").write_text(f"_root: data/test\n{text}\n")
    assert finding in changed_structure(conf, "test")


def test_a_change_within_an_entry_is_found(conf: Path) -> None:
    entry = read_project(conf).catalog["validation"]
    entry["dataset"]["load_args"] = {"encoding": "utf-8"}
    (conf / "test" / "catalog.yml").write_text(yaml.safe_dump({"validation": entry}))
    assert changed_structure(conf, "test") == []
    entry["dataset"]["type"] = "pandas.ParquetDataset"
    (conf / "test" / "catalog.yml").write_text(yaml.safe_dump({"validation": entry}))
    assert changed_structure(conf, "test") == ["test: catalog entry validation changes dataset"]


def test_a_dropped_validator_is_found(conf: Path) -> None:
    entry = "bin_influence: {type: pandas.ParquetDataset, filepath: data/test/b.parquet}"
    (conf / "test" / "catalog.yml").write_text(f"{entry}\n")
    assert "test: catalog entry bin_influence changes validator" in changed_structure(conf, "test")


def test_another_place_is_no_change_of_structure(conf: Path) -> None:
    entry = read_project(conf).catalog["corpus_summary"]
    text = f"corpus_summary: {{type: {entry['type']}, filepath: /elsewhere, metadata: {{kedro-viz: {{layer: X}}}}}}\n"
    text = text.replace("X", entry["metadata"]["kedro-viz"]["layer"])
    (conf / "test" / "catalog.yml").write_text(text)
    assert changed_structure(conf, "test") == []


def test_a_new_parameter_is_found(conf: Path, append: Callable[[Path, str], None]) -> None:
    append(conf / "test" / "parameters.yml", "\ndocuments: {min_words: 3}\n")
    assert changed_structure(conf, "test") == ["test: parameter documents.min_words is not in base"]


def test_a_new_setting_is_found(conf: Path, append: Callable[[Path, str], None]) -> None:
    append(conf / "test" / "globals.yml", "\nrot: data/test\n")
    assert changed_structure(conf, "test") == ["test: globals.yml has rot, which is not in base"]
