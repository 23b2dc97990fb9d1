"""Small modules, functions and nodes; mirrored tests; no print; nothing heavy at import."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from kedro.pipeline import Node, Pipeline

from guards.project import ROOT, SOURCE, Project
from guards.source import (
    greedy_nodes,
    heavy_imports,
    long_functions,
    long_modules,
    misnamed_nodes,
    modules_without_test,
    prints,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def join(*documents: object) -> object:
    return documents


def crafted(project: Project, node: Node) -> Project:
    return replace(project, pipelines={"corpus": Pipeline([node])})


def test_modules_are_short() -> None:
    assert long_modules(SOURCE) == []


@pytest.mark.parametrize(("name", "limit"), [("a/b.py", 300), ("pipelines/a/pipeline.py", 80)])
def test_a_long_module_is_found(tmp_path: Path, name: str, limit: int) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("\n" * limit)
    assert long_modules(tmp_path) == []
    path.write_text("\n" * (limit + 1))
    assert long_modules(tmp_path) == [f"{name}: {limit + 1} lines, the limit is {limit}"]


def test_functions_are_short() -> None:
    assert long_functions(SOURCE) == []


def test_a_long_function_is_found(tmp_path: Path) -> None:
    body = "    x = 1\n"
    (tmp_path / "a.py").write_text("class A:\n  def short(self):\n" + body * 59 + "def long():\n" + body * 60)
    assert long_functions(tmp_path) == ["a.py: long has 61 lines, the limit is 60"]


def test_nodes_have_few_inputs(project: Project) -> None:
    assert greedy_nodes(project) == []


def test_a_greedy_node_is_found(project: Project) -> None:
    node = Node(join, list("abcdefg"), "all", name="join")
    assert greedy_nodes(crafted(project, node)) == ["join: 7 inputs, the limit is 6"]


def test_as_many_values_of_one_kind_are_one_input(project: Project) -> None:
    sections = [f"{name}_section" for name in "abcdefg"]
    assert greedy_nodes(crafted(project, Node(join, sections, "all", name="join"))) == []


@pytest.mark.parametrize("odd", ["a_figure", "contrasts"], ids=["of another pattern", "with an entry of its own"])
def test_values_of_several_kinds_are_as_many_inputs(project: Project, odd: str) -> None:
    sections = [f"{name}_section" for name in "abcdef"]
    found = greedy_nodes(crafted(project, Node(join, [*sections, odd], "all", name="join")))
    assert found == ["join: 7 inputs, the limit is 6"]


def test_nodes_are_named_as_their_functions(project: Project) -> None:
    assert misnamed_nodes(project) == []


def test_a_misnamed_node_is_found(project: Project) -> None:
    node = Node(join, ["a", "b"], "all", name="unite")
    assert misnamed_nodes(crafted(project, node)) == ["unite: its function is join"]


def test_a_namespace_does_not_hide_the_name(project: Project) -> None:
    node = Node(join, ["a", "b"], "all", name="join", namespace="quiz")
    assert misnamed_nodes(crafted(project, node)) == []


def test_every_module_with_logic_has_its_test() -> None:
    assert modules_without_test(SOURCE, ROOT / "tests") == []


def test_a_module_without_test_is_found(tmp_path: Path) -> None:
    source, tests = tmp_path / "src", tmp_path / "tests"
    for folder in (source / "a", tests / "a"):
        folder.mkdir(parents=True)
    (source / "a" / "b.py").write_text("def double(x):\n    return 2 * x\n")
    (source / "a" / "names.py").write_text("NAMES = ('x',)\n")
    assert modules_without_test(source, tests) == ["a/b.py: there is no tests/a/test_b.py"]
    (tests / "a" / "test_b.py").write_text("")
    assert modules_without_test(source, tests) == []


def test_nothing_prints() -> None:
    assert prints(SOURCE) == []


def test_a_print_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""Does not print("x")."""\n\nprint("x")\n')
    assert prints(tmp_path) == ["a.py:3 prints"]


def test_listing_pipelines_loads_nothing_heavy() -> None:
    assert heavy_imports(SOURCE) == []


def test_a_heavy_import_is_found(copy: Path, append: Callable[[Path, str], None]) -> None:
    source = copy / "src" / "social_provenance"
    append(source / "pipelines" / "corpus" / "nodes.py", "\nimport ibis\n")
    assert heavy_imports(source) == ["ibis is loaded when pipelines are listed"]
