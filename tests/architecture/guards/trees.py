"""Syntax trees of modules: their functions, constants and imports, and what stands around a node."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PACKAGE = "social_provenance"


@dataclass(frozen=True)
class Module:
    """A module: its tree, the parent of each node, its functions and constants, and the names it imports."""

    name: str
    tree: ast.Module
    parents: Mapping[ast.AST, ast.AST]
    functions: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, ast.expr]
    imports: Mapping[str, tuple[str, str]]


@cache
def parse(text: str) -> ast.Module:
    """Parse source; several guards read the same, and none may change the tree."""
    return ast.parse(text)


def read_module(name: str, path: Path) -> Module:
    """Parse a module."""
    return _module(name, path.read_text(encoding="utf-8"))


@cache
def _module(name: str, text: str) -> Module:
    tree = parse(text)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                constants |= {
                    name.id: value for name, value in zip(names, values, strict=True) if isinstance(name, ast.Name)
                }
    imports = {
        (alias.asname or alias.name): ((node.module or "").removeprefix(f"{PACKAGE}."), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return Module(name, tree, parents, functions, constants, imports)


def name_of(path: Path, source: Path) -> str:
    """Return the name of a module below the package."""
    return ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")


def above(node: ast.AST, module: Module) -> Iterator[ast.AST]:
    """Yield the nodes around a node, the nearest first."""
    while node in module.parents:
        node = module.parents[node]
        yield node


def places(target: ast.AST | None, name: str) -> Iterator[tuple[int, ...]]:
    """Yield where a name stands in the target of an assignment: empty for the target itself."""
    if isinstance(target, ast.Tuple):
        for place, member in enumerate(target.elts):
            yield from ((place, *rest) for rest in places(member, name))
    elif isinstance(target, ast.Name | ast.Attribute) and ast.unparse(target) == name:
        yield ()


def parameters(function: ast.FunctionDef) -> list[str]:
    """Return the names of the parameters of a function."""
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def bound(function: ast.FunctionDef, call: ast.Call) -> dict[str, ast.expr]:
    """Return parameter -> argument of a call."""
    names = [name for name in parameters(function) if name not in ("self", "cls")]
    given = (
        dict(zip(names, call.args, strict=False)) if not any(isinstance(one, ast.Starred) for one in call.args) else {}
    )
    return given | {one.arg: one.value for one in call.keywords if one.arg}


def is_none(node: ast.expr) -> bool:
    """Return whether an expression is None."""
    return isinstance(node, ast.Constant) and node.value is None
