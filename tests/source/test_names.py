"""What a piece of source refers to, its own local names left out."""

from __future__ import annotations

import ast

import pytest

from social_provenance.source.names import Import, Names


def names(text: str) -> Names:
    found = Names("house.inner")
    for statement in ast.parse(text).body:
        found.visit(statement)
    return found


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("def f(a, *b, c=D, **e): return a, b, c, e, g", {"D", "g"}),
        ("def f():\n    a = 1\n    return a + b", {"b"}),
        ("def f():\n    global a\n    a = 1\n    return a", {"a"}),
        ("def f():\n    for a, (b, c) in d: yield a, b, c", {"d"}),
        ("def f():\n    with a() as b: return b", {"a"}),
        ("def f():\n    try: pass\n    except A as b: return b", {"A"}),
        ("def f(x): return [x for x in x if y]", {"y"}),
        ("def f(): return [x for x in x]", {"x"}),  # the outermost iterable is looked up outside
        ("def f(): return lambda a: a + b", {"b"}),
        ("def f():\n    def g(h): return h(k)\n    return g", {"k"}),
        ("def f(m):\n    def g(): return m\n    return g", set()),
        ("def f():\n    def g(m): return m\n    return m", {"m"}),
        (
            "def f(x):\n match x:\n  case {'a': a, **rest}: return a, rest\n  case [b, *c]: return b, c",
            set(),
        ),
        ("@a(b)\ndef f(): pass", {"a", "b"}),
        ("def f():\n    if (n := g()): return n", {"g"}),
    ],
)
def test_names_from_outside_are_found_in_every_scope(text: str, uses: set[str]) -> None:
    assert {name for name, _ in names(text).uses} == uses


def test_the_first_attribute_of_a_name_is_known_and_every_attribute_is_noted() -> None:
    found = names("def f(x): return tools.add(x.rows[0].size, tools)")
    assert found.uses == {("tools", "add"), ("tools", None)}
    assert found.attributes == {"add", "rows", "size"}


def test_an_attribute_that_is_named_in_text_is_noted() -> None:
    assert names("def f(x): return getattr(x, 'digest', None), operator.attrgetter('rows')").attributes == {
        *("attrgetter", "digest", "rows")
    }


def test_annotations_are_types_and_not_uses() -> None:
    found = names("def f(a: A[B], *b: C, d: 'D' = 1) -> E:\n    g: G = 2\n    return g")
    assert found.types == {"A", "B", "C", "D", "E", "G"}
    assert found.uses == set()


def test_imports_within_a_function_stand_for_what_they_import() -> None:
    found = names("def f():\n    from . import a\n    import numpy as np, os.path\n    return a.b(np, os)")
    assert found.imports == {"a": Import("house.inner", "a"), "np": Import("numpy"), "os": Import("os")}
    assert found.uses == {("a", "b"), ("np", None), ("os", None)}
