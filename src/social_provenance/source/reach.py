"""Reachability: every definition of the package that a function may run.

A definition reaches the names in it, through imports of modules and of functions alike. A method is reachable when
its class is known (it is named, or an annotation allows an instance of it) and some reachable code accesses an
attribute of its name. A class includes its subclasses, and a protocol its implementations, where they override an
accessed member, because an instance of one may be passed. A function that is passed as data, in a field or an
argument, is not detected: callers of the digest must name it as a root.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.source.definitions import EFFECTS, VALUES, Definition, Module, parse_module
from social_provenance.source.names import Import

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Key = tuple[str, str]
"""Dotted name of a module, qualified name of a definition in it."""

APART = ("errors", "fingerprint", "progress")
"""Modules whose code changes no result: texts of errors and of progress reports, and the digests themselves, which
would otherwise depend on their own code."""


@dataclass(frozen=True)
class Code:
    """The source of a package.

    Attributes:
        root: Folder of the package.
        package: Name of the package.
    """

    root: Path
    package: str

    @classmethod
    @functools.cache
    def own(cls) -> Code:
        """Return the source of this package; parsed once."""
        return cls(Path(__file__).parents[1], __name__.partition(".")[0])

    @functools.cached_property
    def modules(self) -> dict[str, Module]:
        """Dotted name -> parsed module."""
        modules = {}
        for path in sorted(self.root.rglob("*.py")):
            parts = [self.package, *path.relative_to(self.root).with_suffix("").parts]
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            modules[name] = parse_module(path.read_text(), name, is_package=is_package)
        return modules

    def definition(self, key: Key) -> Definition:
        """Return the definition of a key."""
        return self.modules[key[0]].definitions[key[1]]

    def roots_of(self, value: Any) -> Iterator[Key]:
        """Yield the definitions of a value: a function, a class, the type of an object, all of a module.

        Callables bound to a :func:`functools.partial` are included. A nested function yields the complete
        outer function; a value from outside the package yields nothing.

        Args:
            value: The value; a string is the dotted name of a module.
        """
        if isinstance(value, str):
            yield from ((value, name) for name in self.modules[value].definitions)
        elif isinstance(value, functools.partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                if callable(part):
                    yield from self.roots_of(part)
        elif inspect.ismethod(value):
            yield from self.roots_of(value.__self__)
            yield from self._named(value.__func__)
        else:
            yield from self._named(value if inspect.isroutine(value) or isinstance(value, type) else type(value))

    def _named(self, value: Any) -> Iterator[Key]:
        module = self.modules.get(getattr(value, "__module__", None) or "")
        name = str(value.__qualname__).partition(".<locals>")[0]
        if module is not None and name in module.definitions:
            yield value.__module__, name

    def find(self, module: str, name: str) -> Key | Import | None:
        """Resolve a name at the top of a module: a definition, an import, or a builtin."""
        seen = set()
        while module in self.modules and (module, name) not in seen:
            seen.add((module, name))
            here = self.modules[module]
            if name in here.definitions:
                return module, name
            if name not in here.imports:
                below = f"{module}.{name}"
                return Import(below) if below in self.modules else None
            bound = here.imports[name]
            whole = self.as_module(bound)
            if whole is not None or bound.name is None:
                return whole
            module, name = bound.module, bound.name
        return Import(module, name)

    def as_module(self, bound: Import) -> Import | None:
        """Return the module that an import binds, also one imported from its package; None if it binds a name."""
        if bound.name is None:
            return bound
        below = f"{bound.module}.{bound.name}"
        return Import(below) if below in self.modules else None

    @functools.cached_property
    def _heirs(self) -> dict[Key, list[Key]]:
        """Class -> classes that inherit from it, or implement it as a protocol."""
        heirs: dict[Key, list[Key]] = defaultdict(list)
        classes = [(m, n) for m, module in self.modules.items() for n, d in module.definitions.items() if d.is_class]
        for key in classes:
            for base in self.bases(key):
                heirs[base].append(key)
        protocols = [key for key in classes if "Protocol" in self._outside_bases(key)]
        for protocol in protocols:
            asked = {name for name in self.definition(protocol).members if name not in {VALUES, EFFECTS}}
            for key in classes:
                if asked and key != protocol and asked <= self.definition(key).members:
                    heirs[protocol].append(key)
        return heirs

    def bases(self, key: Key) -> list[Key]:
        """Return the direct base classes of a class within this package."""
        targets = [self.find(key[0], base) for base in self.definition(key).bases or ()]
        return [base for base in targets if isinstance(base, tuple)]

    def ancestors(self, key: Key) -> list[Key]:
        """Return all base classes of a class within this package, direct and indirect."""
        return [above for base in self.bases(key) for above in (base, *self.ancestors(base))]

    def _outside_bases(self, key: Key) -> set[str]:
        return {base.rpartition(".")[2] for base in self.definition(key).bases or ()}

    def heirs(self, key: Key) -> list[Key]:
        """Return all subclasses and implementations of a class, direct and indirect."""
        heirs: dict[Key, None] = {}
        waiting = [key]
        while waiting:
            for heir in self._heirs.get(waiting.pop(), ()):
                if heir not in heirs:
                    heirs[heir] = None
                    waiting.append(heir)
        return list(heirs)

    def is_settings(self, key: Key) -> bool:
        """Return whether a class is a Pydantic model: its fields are values, which are digested separately."""
        return any("BaseModel" in self._outside_bases(own) for own in (key, *self.ancestors(key)))


@dataclass
class Reach:
    """The set of definitions that are reachable from some roots.

    Attributes:
        code: The source.
        edges: Definition -> (name in it, target), unordered; targets outside the package as text.
        classes: Classes of which an instance may exist.
        attributes: Names of accessed attributes.
        given: Classes among the roots: among subclasses of a common base, those whose instances are passed.
    """

    code: Code
    given: frozenset[Key] = frozenset()
    edges: dict[Key, set[tuple[str, Key | str]]] = field(default_factory=dict)
    classes: set[Key] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, code: Code, roots: Iterable[Key]) -> Reach:
        """Follow all references from ``roots``.

        A class among the roots is one whose instances are passed: where code may receive an instance of its
        base, the other subclasses of that base are ignored.
        """
        roots = list(roots)
        reach = cls(code, frozenset(root for root in roots if code.definition(root).is_class))
        for root in roots:
            reach._add(root)
        size = -1
        while size != (size := len(reach.edges) + len(reach.attributes) + len(reach.classes)):
            for known in list(reach.classes):
                reach._ask(known)
        return reach

    def _add(self, key: Key) -> None:
        if key in self.edges:
            return
        definition = self.code.definition(key)
        self.edges[key] = set()
        self.attributes |= definition.attributes
        if EFFECTS in self.code.modules[key[0]].definitions:
            self._add((key[0], EFFECTS))
        if definition.is_class:
            self.classes.add(key)
        for name, attribute in definition.uses:
            self._follow(key, name, attribute)
        self._know(key[0], definition.types, definition)

    def _follow(self, key: Key, name: str, attribute: str | None) -> None:
        bound = self.code.definition(key).imports.get(name)
        target = self._resolve(key[0], name, bound)
        shown = name
        if isinstance(target, Import) and target.name is None and target.module in self.code.modules:
            if attribute is None:  # the module itself is handed on: anything of it may be used
                for inner in self.code.modules[target.module].definitions:
                    self._link(key, f"{name}.{inner}", (target.module, inner))
                return
            shown, target = f"{name}.{attribute}", self.code.find(target.module, attribute)
        if isinstance(target, tuple):
            self._link(key, shown, target)
        elif isinstance(target, Import):
            self.edges[key].add((name, f"{target.module}:{target.name or ''}"))

    def _resolve(self, module: str, name: str, bound: Import | None) -> Key | Import | None:
        if bound is None:
            return self.code.find(module, name)
        whole = self.code.as_module(bound)
        if whole is not None or bound.name is None:
            return whole
        return self.code.find(bound.module, bound.name) or bound

    def _link(self, key: Key, name: str, target: Key) -> None:
        if self._is_apart(target):
            self.edges[key].add((name, f"{target[0].rpartition('.')[2]}:{target[1]}"))
        else:
            self.edges[key].add((name, target))
            self._add(target)

    def _is_apart(self, key: Key) -> bool:
        return key[0].rpartition(".")[2] in APART

    def _know(self, module: str, types: Iterable[str], within: Definition | None = None, depth: int = 0) -> None:
        """Record the classes that annotations name, through aliases."""
        for name in types:
            here = self.code.modules[module]
            if name in here.aliases and depth < 9:
                alias = here.aliases[name]
                self._know(module, {use for use, _ in alias.uses} | alias.types, None, depth + 1)
                continue
            target = self._resolve(module, name, within.imports.get(name) if within else None)
            if not isinstance(target, tuple) or self._is_apart(target):
                continue
            definition = self.code.modules[target[0]].definitions[target[1]]
            if definition.is_class:
                if not self._has_given_sibling(target):
                    self._add(target)
            elif target[1] != name or target[0] != module or depth < 9:
                self._know(target[0], {use for use, _ in definition.uses} - {name}, definition, depth + 1)

    def _has_given_sibling(self, key: Key) -> bool:
        if key in self.given:
            return False
        return any(set(self.code.heirs(base)) & self.given for base in self.code.ancestors(key))

    def _ask(self, key: Key) -> None:
        """Reach the accessed members of a known class, and of subclasses that override them."""
        definition = self.code.definition(key)
        wanted = definition.members & (self.attributes | definition.implicit)
        if VALUES in definition.members and not self.code.is_settings(key):
            wanted |= {VALUES}
        for name in sorted(wanted):
            self._link(key, f".{name}", (key[0], f"{key[1]}.{name}"))
        heirs = self.code.heirs(key)
        answering = [heir for heir in heirs if heir in self.given] or [
            heir for heir in heirs if self.code.definition(heir).members & self.attributes & self._asked(key)
        ]
        for heir in answering:
            self._link(key, f"<{heir[1]}>", heir)

    def _asked(self, key: Key) -> set[str]:
        """Return the members of a class and its bases."""
        return {name for own in (key, *self.code.ancestors(key)) for name in self.code.definition(own).members}
