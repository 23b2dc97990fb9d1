"""Names, attributes, annotations and imports that a piece of source refers to."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class Import:
    """Target of a name that an import binds.

    Attributes:
        module: Dotted name of the module.
        name: Name in that module; None for the module itself.
    """

    module: str
    name: str | None = None


def imports_below(node: ast.AST, home: str) -> dict[str, Import]:
    """Return the bindings of imports below a node; those inside functions and classes are local to them."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return {}
    imports: dict[str, Import] = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            imports[alias.asname or alias.name.split(".")[0]] = Import(
                alias.name if alias.asname else alias.name.split(".")[0]
            )
    elif isinstance(node, ast.ImportFrom):
        above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
        module = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            imports[alias.asname or alias.name] = Import(module, alias.name)
    for child in ast.iter_child_nodes(node):
        imports |= imports_below(child, home)
    return imports


class Names(ast.NodeVisitor):
    """Visitor that collects the names that statements refer to outside of themselves.

    Attributes:
        uses: Names that they read, with the first attribute accessed on each (None: the bare name).
        types: Names in annotations.
        attributes: Names of attributes that they access on any object.
        imports: Names that their functions import.
    """

    def __init__(self, home: str) -> None:
        """Take the package against which relative imports are resolved."""
        self._home = home
        self._scopes: list[set[str]] = []
        self.uses: set[tuple[str, str | None]] = set()
        self.types: set[str] = set()
        self.attributes: set[str] = set()
        self.imports: dict[str, Import] = {}

    def annotation(self, node: ast.expr | None) -> None:
        """Collect the names of an annotation, quoted ones included."""
        if node is None:
            return
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                self.types.add(part.id)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
                self.types.add(part.value)

    def visit_Name(self, node: ast.Name) -> None:
        self._use(node.id, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.attributes.add(node.attr)
        if isinstance(node.value, ast.Name):
            self._use(node.value.id, node.attr)
        else:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        named = ast.unparse(node.func).rpartition(".")[2]
        if named in {"getattr", "hasattr", "attrgetter", "methodcaller"}:
            self.attributes |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports |= imports_below(node, self._home)

    visit_ImportFrom = visit_Import  # type: ignore[assignment]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.annotation(node.returns)
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._function(node, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)
        self._inside(_stored(node.body), node.body)

    def _function(self, node: Scope, body: Iterable[ast.AST]) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in every:
            if argument is not None:
                self.annotation(argument.annotation)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        body = list(body)
        self._inside({a.arg for a in every if a is not None} | _stored(body), body)

    def _comprehension(self, node: Comprehension) -> None:
        first, *_ = node.generators
        self.visit(first.iter)  # looked up outside, before the scope begins
        bound = _stored([generator.target for generator in node.generators])
        rest = [part for own in node.generators for part in (own.target, own.iter, *own.ifs) if part is not first.iter]
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(bound, [*rest, *values])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _inside(self, bound: set[str], body: Iterable[ast.AST]) -> None:
        self._scopes.append(bound)
        for part in body:
            self.visit(part)
        self._scopes.pop()

    def _use(self, name: str, attribute: str | None) -> None:
        if not any(name in scope for scope in self._scopes):
            self.uses.add((name, attribute))


def _stored(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements bind in their own scope, without imports, which refer to other definitions."""
    bound, shared = set(), set()
    for node in _own_nodes(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            bound.add(node.name or "")
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
        elif isinstance(node, ast.Global):
            shared |= set(node.names)
    return bound - shared


def _own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in body:
        yield node
        if not isinstance(node, Scope | ast.ClassDef | Comprehension):
            yield from _own_nodes(ast.iter_child_nodes(node))
