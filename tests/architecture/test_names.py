"""Names in the documentation are there, and where they are said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.docs import pages
from guards.names import (
    HISTORY,
    columns_of_no_table,
    misplaced_names,
    missing_files,
    unknown_names,
    unused_foreign,
    wrong_attributes,
)
from guards.project import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return the only page of a project's documentation."""
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "index.md"
    page.write_text(
        "`gradients/settings.py`, `settings.py`, `tests/architecture/`, `conf/base`, `conf/local/x.yml`, `a/b.py`,\n"
        "`01_raw/benchmarks/NAME.yaml`, `06_models/language_model`, `hf://x/y`, `Objective`, `bin_influence.z`,\n"
        "`gradients.max_tokens`, `evaluation.benchmarks.tag`, `matching.neighbours`, `maps.two_way`,\n"
        "`social_provenance.datasets.ArraysFile`, `report.html`, `Unheard of`, `tail_patch_4`.\n"
        "`GradientSettings` and `Distributed` in `gradients/settings.py`; `Objective`\n"
        "(`forgetting/objectives/base.py`)\n\n| column | is |\n| --- | --- |\n| `z`, `ci_low` | fine |\n\n"
        "```\n`NoSuchThing` `gradients/nowhere.py`\n```\n"
    )
    return page


def test_names_of_the_pages_are_there(project: Project) -> None:
    assert missing_files(ROOT) == []
    assert unknown_names(ROOT) == []
    assert misplaced_names(ROOT) == []
    assert wrong_attributes(ROOT, project) == []
    assert columns_of_no_table(ROOT, project) == []


def test_foreign_names_are_used() -> None:
    assert unused_foreign(ROOT) == []


def test_a_foreign_name_that_no_page_has_is_found(page: Path) -> None:
    assert "Attributor of bergson: no page names it" in unused_foreign(page.parents[1])


def test_names_that_are_there_are_no_findings(page: Path, project: Project) -> None:
    root = page.parents[1]
    assert missing_files(root) == unknown_names(root) == misplaced_names(root) == []
    assert wrong_attributes(root, project) == columns_of_no_table(root, project) == []


@pytest.mark.parametrize(
    "name",
    [
        "gradients/nowhere.py",
        "nowhere.py",
        "nowhere/settings.py",
        "src/social_provenance/nowhere.py",
        "forgetting/nowhere/",
        "tests/nowhere",
        "conf/base/nowhere.yml",
        "01_raw/nowhere.parquet",
    ],
)
def test_a_file_that_is_not_there_is_found(page: Path, name: str) -> None:
    page.write_text(f"{page.read_text()}\nSee `{name}`.\n")
    assert missing_files(page.parents[1]) == [f"docs/index.md: {name} is not there"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("`NoSuchThing`", "NoSuchThing"),
        ("`Nosuchthing`", "Nosuchthing"),
        ("`no_such_column`", "no_such_column"),
        ("`bin_influence.no_such_column`", "no_such_column"),
        ("`social_provenance.datasets.NoSuchThing`", "NoSuchThing"),
    ],
)
def test_a_name_that_nothing_has_is_found(page: Path, text: str, name: str) -> None:
    page.write_text(f"{page.read_text()}\nSee {text}.\n")
    assert unknown_names(page.parents[1]) == [f"docs/index.md: {name} is no name of the project"]


@pytest.mark.parametrize(
    "claim",
    [
        "`Algorithm` (`forgetting/settings.py`)",
        "`ALGORITHMS` in `gradients/settings.py`",
        "`ALGORITHMS`\nin `gradients/settings.py`",
        "`GradientSettings`, `ALGORITHMS` and `Distributed` in `gradients/settings.py`",
    ],
)
def test_a_name_in_another_module_is_found(page: Path, claim: str) -> None:
    page.write_text(f"{page.read_text()}\nSee {claim}.\n")
    (found,) = misplaced_names(page.parents[1])
    assert found.startswith("docs/index.md: ")
    assert found.rpartition(" ")[2].upper().startswith("ALGORITHM")


def test_a_name_that_a_module_only_imports_is_found(page: Path) -> None:
    page.write_text("`Field` (`gradients/settings.py`)\n")
    assert misplaced_names(page.parents[1]) == ["docs/index.md: gradients/settings.py does not define Field"]


@pytest.mark.parametrize(
    "name",
    [
        "bin_influence.accuracy",
        "unlearning.damping",
        "gradients.no_such_module",
        "shrinkage.q_values",
        "social_provenance.errors.DuckDBBackend",
        "social_provenance.nowhere",
    ],
    ids=["column of another table", "field of another block", "module", "function", "class", "package"],
)
def test_a_wrong_attribute_is_found(page: Path, project: Project, name: str) -> None:
    page.write_text(f"{page.read_text()}\nSee `{name}`.\n")
    found = wrong_attributes(page.parents[1], project)
    assert found == [f"docs/index.md: {name} is no column, parameter or part of a module"]


def test_a_column_of_no_table_is_found(page: Path, project: Project) -> None:
    page.write_text(page.read_text().replace("`z`, `ci_low`", "`z`, `no_such_column`"))
    assert columns_of_no_table(page.parents[1], project) == ["docs/index.md: no table has a column no_such_column"]


def test_what_was_removed_may_stand_in_the_history_alone(page: Path) -> None:
    root = page.parents[1]
    (root / HISTORY).write_text("`NoSuchThing` and `gradients/nowhere.py` went\n")
    assert {path.name for path in pages(root)} == {HISTORY, "index.md"}
    assert missing_files(root) == unknown_names(root) == []
