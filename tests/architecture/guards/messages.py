"""Messages as the source builds them: an expression is read as the texts that it can have.

A value that is known only at run time is a word in capitals, named after the expression it comes from; a piece that
may be missing stands in brackets. Nothing is imported or run: local variables, parameters (by the calls of their
function), constants and functions that return text are followed in the syntax tree.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from guards.trees import Module, above, bound, is_none, name_of, parameters, places, read_module
from guards.words import bare, has_text, mark, marked, optional, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MOST = 8
"""Alternatives of one variable that are told apart; of more, it is a word in capitals."""

LISTED = 100
"""Characters of a list that is spelled out."""

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """Where an expression stands, and what is known of the parameters of its function."""

    module: Module
    function: ast.FunctionDef | None = None
    given: Mapping[str, Texts] = field(default_factory=dict)
    seen: frozenset[tuple[str, str, str]] = frozenset()

    def seeing(self, name: str) -> Scope | None:
        """Return this scope with a name that is being read; None if it is being read already."""
        key = (self.module.name, self.function.name if self.function else "", name)
        return None if key in self.seen else replace(self, seen=self.seen | {key})


class Messages:
    """The texts of a package's expressions."""

    def __init__(self, source: Path) -> None:
        """Parse every module below ``source``."""
        self.modules = {
            name: read_module(name, path) for path in sorted(source.rglob("*.py")) if (name := name_of(path, source))
        }
        self._methods: dict[str, list[tuple[Module, ast.FunctionDef]]] = {}
        for module in self.modules.values():
            for name, function in module.functions.items():
                of_class, returns = isinstance(module.parents[function], ast.ClassDef), function.returns
                if of_class and isinstance(returns, ast.Name) and returns.id == "str":
                    self._methods.setdefault(name, []).append((module, function))
        self._assigning: dict[ast.AST, list[ast.Assign | ast.AnnAssign | ast.NamedExpr]] = {}
        self._calls: dict[tuple[str, str], list[tuple[Module, ast.Call]]] = {}
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and (target := self._target(module, node.func)):
                    self._calls.setdefault((target[0].name, target[1].name), []).append((module, node))

    def texts(self, node: ast.expr, at: ast.AST, module: Module) -> Texts:
        """Return the texts of an expression where another one stands."""
        scope = self._scope(at, module)
        texts = [text for given in self._givens(scope) for text in self._read(node, replace(scope, given=given))]
        return tuple(dict.fromkeys(texts))

    def _givens(self, scope: Scope) -> list[dict[str, Texts]]:
        """Return the parameters of a function as each call gives them, those of one call together."""
        found = []
        function = scope.function
        for module, call in self._calls.get((scope.module.name, function.name), []) if function else []:
            where = replace(self._scope(call, module), seen=scope.seen)
            if where.function is function:  # it calls itself: its parameters are values there
                where = replace(where, given={name: (mark(name.upper()),) for name in parameters(function)})
            read = {name: self._read(value, where) for name, value in bound(function, call).items()}
            told = {name: texts for name, texts in read.items() if has_text(*texts) and len(texts) <= MOST}
            found += [dict(zip(told, [(text,) for text in chosen], strict=True)) for chosen in product(*told.values())]
        return found or [{}]

    def returned(self, module: Module, name: str) -> Texts:
        """Return the texts that a function can return."""
        return tuple(dict.fromkeys(self._returned(module, module.functions[name], {}, frozenset())))

    def _scope(self, node: ast.AST, module: Module) -> Scope:
        return Scope(module, next((one for one in above(node, module) if isinstance(one, ast.FunctionDef)), None))

    def _read(self, node: ast.AST, scope: Scope) -> Texts:  # noqa: PLR0911 - one case for each kind of expression
        match node:
            case ast.Constant(value=str() as text):
                return (text,)
            case ast.Constant(value=bool() | None | bytes()):
                return (marked(node),)
            case ast.Constant(value=number):
                return (str(number),)
            case ast.JoinedStr(values=parts):
                return _joined([self._read(part, scope) for part in parts])
            case ast.FormattedValue():
                return self._formatted(node, scope)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                both = [self._read(left, scope), self._read(right, scope)]
                return _joined(both) if has_text(*both[0], *both[1]) else (marked(node),)
            case ast.IfExp(body=body, orelse=other):
                return self._either([body, other], scope)
            case ast.BoolOp(op=ast.Or(), values=[*first, last]):
                kept = tuple(text for text in self._either(first, scope) if text)
                return (*kept, *self._read(last, scope)) if has_text(*kept, *self._read(last, scope)) else kept
            case ast.NamedExpr(value=value):
                return self._read(value, scope)
            case ast.Name() | ast.Attribute():
                return self._variable(node, scope)
            case ast.Subscript(value=value, slice=key):
                return self._values(value, scope, key) or (marked(node),)
            case ast.Call():
                return self._call(node, scope)
        return (marked(node),)

    def _either(self, nodes: Iterable[ast.expr], scope: Scope) -> Texts:
        return tuple(dict.fromkeys(text for node in nodes for text in self._read(node, scope)))

    def _formatted(self, node: ast.FormattedValue, scope: Scope) -> Texts:
        if node.format_spec is not None:
            return (mark("N", ast.unparse(node.value)),)
        texts = self._read(node.value, scope)
        return tuple(quoted(text) for text in texts) if node.conversion == ord("r") else texts

    def _variable(self, node: ast.Name | ast.Attribute, scope: Scope) -> Texts:
        """Return the texts of a name: what it is given by a call, assigned, or set to in a module."""
        name = ast.unparse(node)
        inner = scope.seeing(name)
        if name in scope.given or inner is None:
            return scope.given.get(name, (marked(node),))
        found = [
            text for value, pick, where in self._assigned(node, inner) for text in self._picked(value, pick, where)
        ]
        target = self._target(scope.module, node) if isinstance(node, ast.Attribute) and not found else None
        if target and target[1].decorator_list:  # a property
            found = list(self._returned(*target, {}, inner.seen))
        if isinstance(node, ast.Name) and not found:
            if constant := self._constant(name, inner):
                return constant
            found = list(self._argument(name, inner))
        texts = tuple(dict.fromkeys(text if has_text(text) or not text else marked(node) for text in found))
        return texts if has_text(*texts) and len(texts) <= MOST else (marked(node),)

    def _assigned(
        self, node: ast.Name | ast.Attribute, scope: Scope
    ) -> Iterator[tuple[ast.expr, tuple[int, ...], Scope]]:
        """Yield what a local variable or an attribute of ``self`` is set to, with the place of each in a tuple."""
        name = ast.unparse(node)
        whole: ast.AST | None = scope.function
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            around = above(scope.function, scope.module) if scope.function and own else iter(())
            whole = next((one for one in around if isinstance(one, ast.ClassDef)), None)
        for one in self._assignments(whole) if whole else ():
            targets = one.targets if isinstance(one, ast.Assign) else [getattr(one, "target", None)]
            value = getattr(one, "value", None)
            if value is not None:
                where = self._scope(one, scope.module)
                for target in targets:
                    for pick in places(target, name):
                        same = where.function is scope.function
                        yield value, pick, scope if same else replace(where, seen=scope.seen)

    def _assignments(self, whole: ast.AST) -> list[ast.Assign | ast.AnnAssign | ast.NamedExpr]:
        if whole not in self._assigning:
            kinds = ast.Assign | ast.AnnAssign | ast.NamedExpr
            self._assigning[whole] = [one for one in ast.walk(whole) if isinstance(one, kinds)]
        return self._assigning[whole]

    def _picked(self, node: ast.expr, pick: tuple[int, ...], scope: Scope) -> Texts:
        """Return the texts of a member of a value that is unpacked."""
        if not pick:
            return self._read(node, scope)
        match node:
            case ast.Tuple(elts=members) if pick[0] < len(members):
                return self._picked(members[pick[0]], pick[1:], scope)
            case ast.IfExp(body=body, orelse=other):
                return (*self._picked(body, pick, scope), *self._picked(other, pick, scope))
            case ast.BoolOp(values=values):
                return tuple(text for value in values for text in self._picked(value, pick, scope))
            case ast.Name() | ast.Attribute() if inner := scope.seeing(f"{ast.unparse(node)}[{pick}]"):
                assigned = self._assigned(node, inner)
                return tuple(text for value, at, where in assigned for text in self._picked(value, (*at, *pick), where))
        return ()

    def _constant(self, name: str, scope: Scope) -> Texts:
        module, own = scope.module, name
        if name in module.imports and module.imports[name][0] in self.modules:
            module, own = self.modules[module.imports[name][0]], module.imports[name][1]
        value = module.constants.get(own)
        return (
            self._read(value, Scope(module, seen=scope.seen)) if isinstance(value, ast.Constant | ast.JoinedStr) else ()
        )

    def _argument(self, name: str, scope: Scope) -> Iterator[str]:
        """Yield the texts of a parameter, as the calls of its function give it."""
        function = scope.function
        if function is None or name not in parameters(function):
            return
        for module, call in self._calls.get((scope.module.name, function.name), []):
            if (value := bound(function, call).get(name)) is not None:
                yield from self._read(value, replace(self._scope(call, module), seen=scope.seen))

    def _values(self, node: ast.expr, scope: Scope, key: ast.expr | None = None) -> Texts:
        """Return the texts in a mapping that is written out, of one key if it is known; nothing for any other value."""
        options = [node]
        if isinstance(node, ast.Name):
            options = [value for value, pick, _ in self._assigned(node, scope) if not pick]
            options += [scope.module.constants[node.id]] if node.id in scope.module.constants else []
        pairs = [
            pair for one in options if isinstance(one, ast.Dict) for pair in zip(one.keys, one.values, strict=True)
        ]
        own = [value for at, value in pairs if at is not None and key is not None and ast.dump(at) == ast.dump(key)]
        values = own or [value for _, value in pairs]
        texts = tuple(dict.fromkeys(text for value in values for text in self._read(value, scope)))
        return texts if any(" " in text for text in texts) else ()

    def _call(self, node: ast.Call, scope: Scope) -> Texts:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[ast.Name(id=name)]):
                if listed := self._listed(name, scope):
                    return (listed,)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[_, *default]):
                if texts := self._values(value, scope):
                    return (*texts, *(text for one in default for text in self._read(one, scope)))
            case ast.Call(func=ast.Attribute(value=value, attr="strip" | "removesuffix" | "removeprefix")):
                return self._read(value, scope)
        if target := self._target(scope.module, node.func):
            module, function = target
            if inner := scope.seeing(f"{module.name}.{function.name}()"):
                given = {name: self._read(value, scope) for name, value in bound(function, node).items()}
                texts = self._returned(module, function, given, inner.seen)
                if any(len(bare(text).split()) > 1 for text in texts):
                    return tuple(text if has_text(text) or not text else marked(node) for text in texts)
        return (marked(node),)

    def _returned(
        self,
        module: Module,
        function: ast.FunctionDef,
        given: Mapping[str, Texts],
        seen: frozenset[tuple[str, str, str]],
    ) -> Texts:
        scope = Scope(module, function, given, seen)
        returns = [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value is not None]
        texts = [text for value in returns if not is_none(value) for text in self._read(value, scope)]
        return tuple(dict.fromkeys(texts))

    def _listed(self, name: str, scope: Scope) -> str:
        """Return the members of a constant collection of texts, separated by commas; the first ones of many."""
        module, own = scope.module, name
        if name in module.imports and module.imports[name][0] in self.modules:
            module, own = self.modules[module.imports[name][0]], module.imports[name][1]
        value = module.constants.get(own)
        members = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
        texts = [one.value for one in members if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(texts) < len(members):
            return ""
        kept = [text for count, text in enumerate(texts) if sum(map(len, texts[:count])) < LISTED]
        return ", ".join(kept) + (", ..." if len(kept) < len(texts) else "")

    def _target(self, module: Module, called: ast.expr) -> tuple[Module, ast.FunctionDef] | None:
        """Return the function of the package that is called; None if it is of a library."""
        match called:
            case ast.Name(id=name) if name in module.functions:
                return module, module.functions[name]
            case ast.Name(id=name) if name in module.imports:
                where, own = module.imports[name]
                other = self.modules.get(where)
                return (other, other.functions[own]) if other and own in other.functions else None
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if name in module.functions:
                return module, module.functions[name]
            case ast.Attribute(attr=name) if len(found := self._methods.get(name, [])) == 1:
                return found[0]
        return None


def _joined(parts: list[Texts]) -> Texts:
    """Join the texts of parts in every combination; a part that may be empty is put in brackets."""
    shown = [tuple(optional(text) for text in part if text) if "" in part and any(part) else part for part in parts]
    return tuple("".join(chosen) for chosen in product(*shown))
