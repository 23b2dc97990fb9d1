"""Notebooks read what a study left, define nothing, and are kept without outputs."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from social_provenance.fingerprint import digest_of_path

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
BENCHMARKS = ("social_reasoning", "stem_reasoning", "social_knowledge", "stem_knowledge")
LEVELS = ("reasoning", "knowledge")
MARK = 0.1234
FIGURE = "application/vnd.plotly.v1+json"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(notebook: NotebookNode) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: NotebookNode, kind: str) -> list[Any]:
    """Return what cells ended with as a MIME type, or drew."""
    outputs = [output for cell in code_of(notebook) for output in cell.outputs]
    results = [one for one in outputs if one.output_type == "execute_result" or FIGURE in one.get("data", {})]
    return [output.data[kind] for output in results if kind in output.data]


def test_there_is_a_notebook() -> None:
    assert [path.name for path in NOTEBOOKS] == ["look_at_a_study.ipynb"]


@every_notebook
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = code_of(nbformat.read(path, as_version=4))
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@every_notebook
def test_a_notebook_defines_nothing(path: Path) -> None:
    cells = code_of(nbformat.read(path, as_version=4))
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]


@pytest.fixture
def marked_study(test_study: Path, tmp_path: Path) -> Path:
    """Return a copy of a study's results in which one area is a number that no other study has."""
    study = tmp_path / "data"
    for folder in ("03_primary", "07_model_output", "08_reporting"):
        shutil.copytree(test_study / folder, study / folder)
    file = study / "08_reporting/validation.json"
    found = json.loads(file.read_text())
    found["methods"][found["default_method"]][BENCHMARKS[0]]["topic_auc"] = MARK
    file.write_text(json.dumps(found))
    ledger = json.loads((test_study / "lineage.json").read_text())
    ledger["validation"]["digest"] = digest_of_path(file)  # else it would be refused as changed
    (study / "lineage.json").write_text(json.dumps(ledger))
    return study


@pytest.mark.slow
def test_the_notebook_shows_the_study_that_it_is_given(marked_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("STUDY_ROOT", str(marked_study))
    notebook = nbformat.read(FOLDER / "look_at_a_study.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert str(MARK) in "".join(shown(notebook, "text/plain"))
    tables = [page for page in shown(notebook, "text/html") if "<table" in page]
    assert len(tables) == 5
    assert all(name in table for name in BENCHMARKS for table in (tables[0], tables[3]))
    assert "doc-" in tables[4]
    printed = "".join(output.text for cell in code_of(notebook) for output in cell.outputs if "text" in output)
    assert "topic_influence (digest" in printed
    assert [len(figure["data"]) for figure in shown(notebook, FIGURE)] == [len(BENCHMARKS), len(LEVELS)]
