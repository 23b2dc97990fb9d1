"""Parsing of a module's source to definitions, with their text and the names they refer to.

A definition is a function, a class, a member of a class, or an assignment at the top of a module. Only what
can change a result is kept: no docstring, comment, annotation, layout, log line, or text of an error.
"""

from __future__ import annotations

import ast
import copy
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from social_provenance.source.names import Names, imports_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from social_provenance.source.names import Import

EFFECTS = "<module>"
"""Name of the definition for statements at the top of a module that define nothing: they run on import."""
VALUES = "<values>"
"""Name of the class member for values that are assigned in its body."""

PLAIN_DECORATORS = {"property", "cached_property", "classmethod", "staticmethod", "abstractmethod", "override", "cache"}
"""Decorators whose method runs only when called by name; any other decorator may register it with a framework."""


@dataclass(frozen=True)
class Definition:
    """A definition: its source and the names in it.

    Attributes:
        statements: Its source; see :attr:`text`.
        uses: Names that it reads, with the first attribute accessed on each (None: the bare name).
        types: Names in its annotations: classes whose instances it may receive.
        attributes: Names of attributes that it accesses on any object.
        imports: Names that it imports itself.
        bases: Base classes, for a class, as names.
        members: Names in the body, for a class.
        implicit: Members that run without being named, for a class, such as ``__init__``.
    """

    statements: tuple[ast.stmt, ...] = field(repr=False, compare=False)
    uses: frozenset[tuple[str, str | None]]
    types: frozenset[str]
    attributes: frozenset[str]
    imports: Mapping[str, Import] = field(default_factory=dict)
    bases: tuple[str, ...] | None = None
    members: frozenset[str] = frozenset()
    implicit: frozenset[str] = frozenset()

    @cached_property
    def text(self) -> str:
        """Source in one layout, without annotations and imports: what these bind is digested itself."""
        bare = [_Bare().visit(copy.deepcopy(statement)) for statement in self.statements]
        return "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in bare if statement)

    @property
    def is_class(self) -> bool:
        """Whether it is a class; its members are separate definitions."""
        return self.bases is not None


@dataclass(frozen=True)
class Module:
    """A parsed module.

    Attributes:
        definitions: Qualified name (``function``, ``Class``, ``Class.member``) -> definition.
        aliases: The same for type aliases that exist only for the type checker.
        imports: Names that it imports, including those only for the type checker.
    """

    definitions: Mapping[str, Definition]
    aliases: Mapping[str, Definition]
    imports: Mapping[str, Import]


@lru_cache(maxsize=1024)  # of a package that is read again, with one edit, only that module is parsed again
def parse_module(source: str, name: str, *, is_package: bool) -> Module:
    """Split a module into definitions.

    Args:
        source: Text of the module.
        name: Dotted name, against which relative imports are resolved.
        is_package: Whether it is the ``__init__`` of a package.

    Raises:
        SyntaxError: If the source is not Python.
    """
    tree = _Cleaner().visit(ast.parse(source))
    home = name if is_package else name.rpartition(".")[0]
    imports: dict[str, Import] = {}
    statements_of: dict[str, list[ast.stmt]] = defaultdict(list)
    typing: dict[str, list[ast.stmt]] = defaultdict(list)
    classes: dict[str, ast.ClassDef] = {}
    for statement in tree.body:
        imports |= imports_below(statement, home)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if _is_type_checking(statement):
            for inner in statement.body:
                for target in _targets(inner):
                    typing[target].append(inner)
        elif isinstance(statement, ast.ClassDef):
            classes[statement.name] = statement
        else:
            for target in _targets(statement) or [EFFECTS]:
                statements_of[target].append(statement)
    definitions = {target: _define(statements, home) for target, statements in statements_of.items()}
    for statement in classes.values():
        definitions |= _define_class(statement, home)
    return Module(definitions, {target: _define(own, home) for target, own in typing.items()}, imports)


def _define(statements: list[ast.stmt], home: str) -> Definition:
    scan = Names(home)
    for statement in statements:
        scan.visit(statement)
    return _definition(scan, statements)


def _definition(names: Names, statements: list[ast.stmt]) -> Definition:
    return Definition(
        tuple(statements), frozenset(names.uses), frozenset(names.types), frozenset(names.attributes), names.imports
    )


def _define_class(node: ast.ClassDef, home: str) -> dict[str, Definition]:
    members: dict[str, list[ast.stmt]] = defaultdict(list)
    implicit: set[str] = set()
    for statement in node.body:
        for name in _targets(statement) or [EFFECTS]:
            if _has_no_value(statement):
                continue
            members[name].append(statement)
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                if _is_dunder(name) or not all(map(_is_plain, statement.decorator_list)):
                    implicit.add(name)
            else:
                members[VALUES].append(statement)
    implicit |= {EFFECTS} & set(members)
    # The shell: bases and decorators, and the names of fields in their order, which say how to construct it.
    fields: list[ast.stmt] = [
        ast.Expr(ast.Name(name, ast.Load()))
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for name in _targets(statement)
    ]
    head = ast.ClassDef(node.name, node.bases, node.keywords, [], node.decorator_list)
    scan = Names(home)
    scan.visit(head)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            scan.annotation(statement.annotation)
    shell = ast.ClassDef(node.name, node.bases, node.keywords, fields or [ast.Pass()], node.decorator_list)
    bases = tuple(ast.unparse(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases)
    whole = replace(_definition(scan, [shell]), bases=bases, members=frozenset(members), implicit=frozenset(implicit))
    return {node.name: whole} | {f"{node.name}.{name}": _define(own, home) for name, own in members.items()}


def _targets(statement: ast.stmt) -> list[str]:
    """Return the names that a statement defines; empty if it defines nothing."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    names = [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name | ast.Attribute)]
    return [node.id for node in names if isinstance(node, ast.Name)] if all(map(_is_name, names)) else []


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _has_no_value(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.AnnAssign) and statement.value is None)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_plain(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (isinstance(named, ast.Name) and named.id in PLAIN_DECORATORS) or (
        isinstance(named, ast.Attribute) and named.attr in {*PLAIN_DECORATORS, "setter", "lru_cache"}
    )


def _is_type_checking(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


class _Cleaner(ast.NodeTransformer):
    """Transformer that drops what changes no result: docstrings, log lines, text of errors."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        logs = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "logger"
        )
        return None if logs or isinstance(call, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, node.cause)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.Assert(node.test, None)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.stmt) and getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node


class _Bare(ast.NodeTransformer):
    """Transformer that drops annotations and imports: the objects that they bind are digested themselves."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return None if node.value is None else ast.Assign([node.target], node.value, lineno=0)

    def visit_Import(self, _: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, _: ast.ImportFrom) -> None:
        return None
