"""Source: sizes, names, the mirror of tests, no print, nothing heavy at import."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from guards.trees import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kedro.pipeline import Node

    from guards.project import Project

MODULE_LINES = 300
WIRING_LINES = 80
WIRING_FUNCTION = "create_pipeline"
"""Wires a pipeline, so it is as long as its module."""

FUNCTION_LINES = 60
NODE_INPUTS = 6
HEAVY = ("torch", "transformers", "bergson", "lm_eval", "mlflow", "datasets", "ibis", "pandera", "sklearn")
WIRING = ("pipeline.py", "walk.py", "judgements.py", "comparisons.py", "nodes.py")
"""Modules of a pipeline that hold no logic of their own: these guards and the end-to-end run test them."""


def long_modules(source: Path) -> list[str]:
    """Find modules and pipeline definitions of too many lines."""
    found = []
    for path, text in _modules(source):
        lines, limit = text.count("\n"), WIRING_LINES if path.name == "pipeline.py" else MODULE_LINES
        if lines > limit:
            found.append(f"{path.relative_to(source).as_posix()}: {lines} lines, the limit is {limit}")
    return found


def long_functions(source: Path) -> list[str]:
    """Find functions of too many lines."""
    found = []
    for path, text in _modules(source):
        for function in _functions(text):
            if function.name == WIRING_FUNCTION:
                continue
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES:
                name = f"{path.relative_to(source).as_posix()}: {function.name}"
                found.append(f"{name} has {lines} lines, the limit is {FUNCTION_LINES}")
    return found


def greedy_nodes(project: Project) -> list[str]:
    """Find nodes with too many inputs.

    Inputs of a variadic parameter count once where one pattern of the catalog keeps them all: they are as many values
    of one kind, such as the sections of a page, and each that is added is treated as the others.
    """
    return [
        f"{node.name}: {count} inputs, the limit is {NODE_INPUTS}"
        for node in project.nodes()
        if (count := _count_inputs(project, node)) > NODE_INPUTS
    ]


def _count_inputs(project: Project, node: Node) -> int:
    parameters = inspect.signature(node.func).parameters.values()
    named = sum(parameter.kind is not inspect.Parameter.VAR_POSITIONAL for parameter in parameters)
    patterns = {project.pattern_of(name) for name in node.inputs[named:]}
    return named + 1 if len(patterns) == 1 and None not in patterns else len(node.inputs)


def misnamed_nodes(project: Project) -> list[str]:
    """Find nodes that are not named as their functions."""
    return [
        f"{node.name}: its function is {node.func.__name__}"
        for node in project.nodes()
        if node.name.rpartition(".")[2] != node.func.__name__
    ]


def modules_without_test(source: Path, tests: Path) -> list[str]:
    """Find modules ``a/b.py`` with logic and without ``tests/a/test_b.py``."""
    found = []
    for path, text in _modules(source):
        name = path.relative_to(source)
        test = name.with_name(f"test_{name.name}")
        wiring = name.parts[0] == "pipelines" and name.name in WIRING
        if next(_functions(text), None) and not wiring and not (tests / test).exists():
            found.append(f"{name.as_posix()}: there is no tests/{test.as_posix()}")
    return found


def prints(source: Path) -> list[str]:
    """Find calls of ``print``; what a run has to say goes through logging."""
    return [
        f"{path.relative_to(source).as_posix()}:{node.lineno} prints"
        for path, text in _modules(source)
        for node in ast.walk(parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def heavy_imports(source: Path) -> list[str]:
    """Find heavy libraries that registering the pipelines and the hooks loads."""
    script = (
        "import sys; import social_provenance.settings, social_provenance.pipeline_registry as registry; "
        "registry.register_pipelines(); "
        f"sys.stdout.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(source.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [f"{name} is loaded when pipelines are listed" for name in result.stdout.split()]


def _modules(source: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(source.rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def _functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
