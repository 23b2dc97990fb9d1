"""Documentation is true: what it names is there, and what is there is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from kedro.pipeline import Node, Pipeline

from guards.docs import (
    broken_commands,
    broken_links,
    dead_pointers,
    misdocumented_datasets,
    misdocumented_errors,
    misdocumented_parameters,
    misdocumented_pipelines,
    pages,
    unmapped_pages,
)
from guards.project import ROOT, Project, read_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFERENCE = ROOT / "docs" / "reference"


def count_words(documents: object) -> object:
    return documents


@pytest.fixture
def documentation(tmp_path: Path) -> Path:
    """Return a copy of the pages, with what they link to."""
    shutil.copytree(ROOT / "docs" / "images", tmp_path / "docs" / "images")
    for page in pages(ROOT):
        copied = tmp_path / page.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, copied)
    return tmp_path


def reference(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def test_links_lead_somewhere() -> None:
    assert broken_links(ROOT) == []


@pytest.mark.parametrize(
    ("link", "finding"),
    [
        ("[a](how_to/nowhere.md)", "docs/index.md: how_to/nowhere.md is not there"),
        ("[a](limitations.md#nothing)", "docs/index.md: limitations.md#nothing has no such heading"),
    ],
)
def test_a_broken_link_is_found(
    documentation: Path, append: Callable[[Path, str], None], link: str, finding: str
) -> None:
    append(documentation / "docs" / "index.md", f"\n{link}, [b](limitations.md#statistics), `[c](code.md)`\n")
    assert broken_links(documentation) == [finding]


def test_the_index_has_every_page() -> None:
    assert unmapped_pages(ROOT) == []


def test_a_page_that_the_index_does_not_have_is_found(documentation: Path) -> None:
    (documentation / "docs" / "explanation" / "lost.md").write_text("# Lost\n")
    assert unmapped_pages(documentation) == ["docs/explanation/lost.md: not in the index"]


def test_code_points_to_pages_that_are_there() -> None:
    assert dead_pointers(ROOT) == []


def test_a_pointer_to_no_page_is_found(documentation: Path) -> None:
    package = documentation / "src"
    package.mkdir()
    (package / "a.py").write_text('"""See docs/decisions/0005 and docs/decisions/0999."""\n')
    assert dead_pointers(documentation) == ["src/a.py: docs/decisions/0999 is not there"]


def test_parameters_are_documented(project: Project) -> None:
    assert misdocumented_parameters(project, reference("parameters")) == []


@pytest.mark.parametrize(
    ("before", "after", "findings"),
    [
        (
            "| `documents.min_chars` |",
            "| `documents.min_words` |",
            [
                "parameter documents.min_chars is not documented",
                "parameter documents.min_words is documented and not there",
            ],
        ),
        (
            "| `evaluation.benchmarks[].tag` |",
            "| `evaluation.limit` |",
            [
                "parameter evaluation.benchmarks[].tag is not documented",
                "parameter evaluation.limit: base has None, the page says –",
            ],
        ),
        ("≥ 0 | 42 |", "≥ 0 | 43 |", ["parameter miniature.seed: base has 42, the page says 43"]),
        (
            "| one or more, distinct | [0, 1] |",
            "| one or more, distinct | – |",
            ["parameter unlearning.order_seeds: base has [0, 1], the page says –"],
        ),
    ],
    ids=["another name", "a field of a list", "another value", "no value"],
)
def test_a_misdocumented_parameter_is_found(project: Project, before: str, after: str, findings: list[str]) -> None:
    text = reference("parameters")
    assert text.count(before) == 1
    found = misdocumented_parameters(project, text.replace(before, after))
    assert set(found) - set(misdocumented_parameters(project, text)) == set(findings)


def test_a_changed_value_is_found(conf: Path, project: Project) -> None:
    path = conf / "base" / "parameters_aggregation.yml"
    path.write_text(path.read_text().replace("replicates: 1000", "replicates: 999"))
    found = misdocumented_parameters(read_project(conf, pipelines=project.pipelines), reference("parameters"))
    assert "parameter bootstrap.replicates: base has 999, the page says 1000" in found


def test_datasets_and_columns_are_documented(project: Project) -> None:
    assert misdocumented_datasets(project, reference("tables")) == []


def test_a_dataset_without_documentation_is_found(
    conf: Path, project: Project, append: Callable[[Path, str], None]
) -> None:
    append(conf / "base" / "catalog_corpus.yml", "\nword_counts: {type: json.JSONDataset, filepath: data/words.json}\n")
    found = misdocumented_datasets(read_project(conf, pipelines=project.pipelines), reference("tables"))
    assert found == ["dataset word_counts is not documented"]


@pytest.mark.parametrize(
    ("before", "after", "findings"),
    [
        ("### `contrasts`", "### `contrast`", ["contrasts is not documented", "contrast is documented and not there"]),
        ("| `report` |", "| `page` |", ["report is not documented", "page is documented and not there"]),
        (
            "| `effective_rank` |",
            "| `strength` |",
            [
                "preconditioner_audit: column effective_rank is not documented",
                "column strength is documented and not there",
            ],
        ),
        (
            "| `content_hash` | text |",
            "| `hash` | text |",
            ["documents: column content_hash is not documented", "column hash is documented and not there"],
        ),
    ],
    ids=["table", "other dataset", "column of pandas", "column of ibis"],
)
def test_a_misdocumented_dataset_is_found(project: Project, before: str, after: str, findings: list[str]) -> None:
    text = reference("tables")
    assert text.count(before) == 1
    found = misdocumented_datasets(project, text.replace(before, after))
    assert len(found) == len(findings)
    assert all(finding in line for finding, line in zip(findings, found, strict=True))


def test_pipelines_are_documented(project: Project) -> None:
    assert misdocumented_pipelines(project, reference("pipelines")) == []


def test_a_pipeline_without_documentation_is_found(project: Project) -> None:
    more = replace(project, pipelines={**project.pipelines, "words": Pipeline([])})
    assert misdocumented_pipelines(more, reference("pipelines")) == ["pipeline words is not documented"]


def test_a_node_with_another_input_and_output_is_found(project: Project) -> None:
    node = Pipeline([Node(count_words, ["contrasts"], "word_counts", name="count_words")])
    more = replace(project, pipelines={**project.pipelines, "corpus": project.pipelines["corpus"] + node})
    assert misdocumented_pipelines(more, reference("pipelines")) == [
        "corpus: node count_words is not documented",
        "corpus: input contrasts is not documented",
        "corpus: output word_counts is not documented",
    ]


def test_an_input_that_is_not_read_is_found(project: Project) -> None:
    text = reference("pipelines").replace("- Reads: `raw_documents`;", "- Reads: `raw_documents`, `contrasts`;")
    assert misdocumented_pipelines(project, text) == ["corpus: input contrasts is documented and not there"]


def test_a_pattern_documents_what_fits_it_and_nothing_else(project: Project) -> None:
    node = Pipeline([Node(count_words, ["contrasts"], "words_section", name="write_words")])
    reporting = project.pipelines["reporting"]
    more = replace(project, pipelines={**project.pipelines, "reporting": reporting + node})
    assert misdocumented_pipelines(more, reference("pipelines")) == []
    other = Pipeline([Node(count_words, ["contrasts"], "words", name="count_words")])
    more = replace(project, pipelines={**project.pipelines, "reporting": reporting + other})
    assert misdocumented_pipelines(more, reference("pipelines")) == [
        "reporting: node count_words is not documented",
        "reporting: output words is not documented",
    ]


def test_a_pattern_that_nothing_fits_is_found(project: Project) -> None:
    text = reference("pipelines").replace("`draw_{name}`", "`draw_{name}`, `paint_{name}`")
    assert misdocumented_pipelines(project, text) == ["reporting: node paint_{name} is documented and not there"]


def test_errors_are_documented() -> None:
    assert misdocumented_errors(reference("errors")) == []


def test_a_misdocumented_error_is_found() -> None:
    text = reference("errors").replace("`LabelError`", "`LableError`")
    assert misdocumented_errors(text) == [
        "error LabelError is not documented",
        "error LableError is documented and not there",
    ]


def test_commands_work(project: Project) -> None:
    assert broken_commands(ROOT, project) == []


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        ("kedro run --env tset", "--env tset"),
        ("kedro run --pipelines corpus,taxonmy", "--pipelines taxonmy"),
        ("kedro run \\\n  --params corpus=DIR,scoring.dampin=0.1", "--params scoring.dampin"),
        ("kedro run --from-nodes read_shard", "--from-nodes read_shard"),
        ("kedro run --pipeline corpus", "--pipeline "),
    ],
    ids=["environment", "pipeline", "parameter", "node", "option"],
)
def test_a_command_that_does_not_work_is_found(
    documentation: Path, project: Project, append: Callable[[Path, str], None], command: str, finding: str
) -> None:
    append(documentation / "docs" / "index.md", f"\n```\nuv run {command}   # nothing\n```\n")
    (found,) = broken_commands(documentation, project)
    assert found.startswith(f"docs/index.md: {finding}")
