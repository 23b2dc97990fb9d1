"""Templates of a task definition: Jinja in its sandbox, whose results are text exactly as an item has it.

lm-eval renders templates without a sandbox, where an expression can reach any function of Python, takes a prompt of
digits for a number and prints null as ``None``. Here a definition's templates are replaced by functions of an item
that do neither.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from social_provenance.errors import BenchmarkError, excerpt

Document = Mapping[str, Any]


class _NotTextError(Exception):
    """A null, a truth value, a list or an object would be printed, as Python writes it and not as the file has it."""


@dataclass(frozen=True)
class Template:
    """A template, or the name of a field, that is rendered for an item.

    Attributes:
        name: Key of the task definition, for errors.
        source: Jinja, or the name of a field of the item.
    """

    name: str
    source: str

    def __call__(self, item: Document) -> Any:
        """Render the template for an item.

        Raises:
            BenchmarkError: With the template, its field and what is wrong there.
        """
        raise NotImplementedError

    def _render(self, item: Document) -> Any:
        """Return the value of the field, or what the template gives."""
        if self.source in item:
            value = item[self.source]
            if _has(value, None):
                raise self._not_text(item, None)
            return value
        from jinja2.exceptions import SecurityError

        try:
            return self._compiled.render(**{str(name): self._given(value) for name, value in item.items()})
        except _NotTextError as error:
            raise self._not_text(item, error.args[0]) from error
        except SecurityError as error:
            raise BenchmarkError(
                f"{self.name} {excerpt(self.source)} reaches into Python, which templates may not ({_reason(error)}): "
                f"write it without, or as a !function with evaluation.allow_code"
            ) from error
        except Exception as error:
            raise BenchmarkError(
                f"{self.name} {excerpt(self.source)} cannot be rendered ({type(error).__name__}: {_reason(error)}): "
                f"fix the template or the item"
            ) from error

    def _given(self, value: Any) -> Any:
        """Return a field's value as the template is given it."""
        return value

    @cached_property
    def _compiled(self) -> Any:
        return sandbox().from_string(self.source)

    def _not_text(self, item: Document, value: Any) -> BenchmarkError:
        from jinja2 import meta

        read = meta.find_undeclared_variables(sandbox().parse(self.source)) | {self.source}
        places = [f"its field {name!r}" for name in sorted(read) if name in item and _has(item[name], value)]
        if _is_collection(value):
            return BenchmarkError(
                f"{[*places, self.name][0]} has {excerpt(value)} where text is printed: give it text, or join its "
                f"parts in {self.name}"
            )
        return BenchmarkError(f"{[*places, self.name][0]} is {json.dumps(value)}: give it text")


class TextTemplate(Template):
    """The prompt of an item, always text."""

    def __call__(self, item: Document) -> str:
        rendered = self._render(item)
        return as_text(rendered, f"its field {self.source!r}")

    def _given(self, value: Any) -> Any:
        return _unprintable(value)


class ChoicesTemplate(Template):
    """The choices of an item, a list of texts."""

    def __call__(self, item: Document) -> list[str]:
        rendered = self._render(item)
        if isinstance(rendered, str) and self.source not in item:
            rendered = _literal(rendered)
        if not isinstance(rendered, list | tuple):
            raise BenchmarkError(f"its choices {excerpt(rendered)} are not a list: give a list of texts")
        if _has(rendered, None):
            raise self._not_text(item, None)
        return [as_text(choice, f"choice {number}") for number, choice in enumerate(rendered, start=1)]

    @cached_property
    def _compiled(self) -> Any:
        # Numbers of a list keep their text: lm-eval prints the list and reads it again.
        return native_sandbox().from_string(self.source.strip())


class TargetTemplate(Template):
    """The answer of an item: the index of a choice where it is digits, as lm-eval reads it, else what it gives."""

    def __call__(self, item: Document) -> Any:
        rendered = self._render(item)
        if isinstance(rendered, str) and self.source not in item and re.fullmatch("0|[1-9][0-9]{0,8}", rendered):
            return int(rendered)
        return rendered


TEMPLATES: dict[str, type[Template]] = {
    "doc_to_text": TextTemplate,
    "doc_to_choice": ChoicesTemplate,
    "doc_to_target": TargetTemplate,
}
"""Key of a task definition -> what its template becomes."""


def as_text(value: object, what: str) -> str:
    """Return a text as it is, a number as the file has it.

    Raises:
        BenchmarkError: If it is empty or neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    said = json.dumps(value) if isinstance(value, bool) else excerpt(value)
    raise BenchmarkError(f"{what} is {said}, which is not text: give it text in quotes")


def with_templates(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task definition whose templates are functions of an item; others stay as they are."""
    made = {name: kind(name, config[name]) for name, kind in TEMPLATES.items() if isinstance(config.get(name), str)}
    return {**config, **made}


class _List(list[Any]):
    """A list of an item, of which a template prints parts and not the whole, by whatever filter or operator."""

    def __init__(self, own: list[Any]) -> None:
        super().__init__(map(_unprintable, own))
        self.own = own

    def __repr__(self) -> str:  # str() and format() call it too
        raise _NotTextError(self.own)


class _Object(dict[str, Any]):
    """An object of an item, like :class:`_List`."""

    def __init__(self, own: Mapping[str, Any]) -> None:
        super().__init__({name: _unprintable(value) for name, value in own.items()})
        self.own = own

    def __repr__(self) -> str:
        raise _NotTextError(self.own)


for _kind, _plain in ((_List, list), (_Object, dict)):  # errors of Jinja name the type of a value
    _kind.__module__, _kind.__name__ = _plain.__module__, _plain.__name__


def _unprintable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _Object(value)
    return _List(value) if isinstance(value, list) else value


@cache
def sandbox() -> Any:
    """Return the environment of templates of text, with what lm-eval's has beside Jinja's own."""
    from jinja2.compiler import CodeGenerator
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Printing(CodeGenerator):  # type: ignore[misc]
        def visit_Concat(self, node: Any, frame: Any) -> None:
            self.write("str_join((")
            for part in node.nodes:  # each is printed like what stands between braces
                self.write("environment.finalize(")
                self.visit(part, frame)
                self.write("), ")
            self.write("))")

    class Sandbox(ImmutableSandboxedEnvironment):  # type: ignore[misc]
        code_generator_class = Printing

    return _environment(Sandbox, _finalize_text)


@cache
def native_sandbox() -> Any:
    """Return the environment of templates that give a Python value."""
    from jinja2.nativetypes import NativeEnvironment
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class NativeSandbox(ImmutableSandboxedEnvironment, NativeEnvironment):  # type: ignore[misc]
        pass

    return _environment(NativeSandbox, _finalize)


def _environment(kind: Callable[..., Any], finalize: Callable[[Any], Any]) -> Any:
    from jinja2 import StrictUndefined

    environment = kind(undefined=StrictUndefined, keep_trailing_newline=True, finalize=finalize)
    environment.filters["regex_replace"] = _regex_replace
    # An item is rendered several times, each time the same: it is not changed, and nothing is drawn.
    del environment.filters["random"], environment.globals["lipsum"]
    return environment


def _finalize(value: Any) -> Any:
    """Refuse what Python prints in another way than the file has it, and what is undefined."""
    from jinja2 import StrictUndefined

    if isinstance(value, StrictUndefined):
        str(value)  # raises its own error
    if isinstance(value, bool) or _has(value, None):
        raise _NotTextError(value if isinstance(value, bool) else None)
    return value


def _finalize_text(value: Any) -> Any:
    """Refuse what :func:`_finalize` does, and collections: a list of choices is one, a part of a text is not."""
    found = _finalize(value)
    if _is_collection(found):
        raise _NotTextError(getattr(found, "own", found))
    return found


def _is_collection(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple | set)


def _regex_replace(text: str, pattern: str, replacement: str, count: int = 0) -> str:
    return re.sub(pattern, replacement, text, count=count)


def _has(value: object, part: object) -> bool:
    """Return whether a value is ``part``, or a list or an object with it inside."""
    if value is part:
        return True
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(_has(own, part) for own in inside)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _reason(error: Exception) -> str:
    return excerpt(" ".join(str(error).split()), 160)
