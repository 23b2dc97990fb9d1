"""A module is divided into definitions, each with what can change a result and nothing else."""

from __future__ import annotations

import textwrap

import pytest

from social_provenance.source.definitions import EFFECTS, VALUES, Module, parse_module
from social_provenance.source.names import Import

SOURCE = '''
"""A module."""
from __future__ import annotations
import numpy as np
from typing import TYPE_CHECKING
from ..tools import add as plus
if TYPE_CHECKING:
    from .shapes import Shape
    Shapes = list[Shape]

ONE, TWO = 1, 2
ONE += 1
TABLE: dict[str, int] = {}
TABLE["x"] = ONE
register(TABLE)

class Box(Base, kind="x"):
    """A box."""

    size: int
    """Of the box."""
    depth: int = 2

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def volume(self) -> int:
        """Volume."""
        return self.size * self.depth

    @field_validator("size")
    def check(cls, value):
        return value
'''


@pytest.fixture
def module() -> Module:
    return parse_module(SOURCE, "house.inner.boxes", is_package=False)


def test_every_statement_is_in_one_definition_or_another(module: Module) -> None:
    members = {"depth", "__init__", "volume", "check", VALUES}
    assert set(module.definitions) == {"ONE", "TWO", "TABLE", EFFECTS, "Box", *(f"Box.{name}" for name in members)}
    assert set(module.aliases) == {"Shapes"}
    assert module.definitions["ONE"].text == "ONE, TWO = (1, 2)\nONE += 1"
    assert module.definitions["TABLE"].text == "TABLE = {}\nTABLE['x'] = ONE"
    assert module.definitions[EFFECTS].text == "register(TABLE)"


def test_a_class_is_how_it_is_constructed_and_its_members_are_apart(module: Module) -> None:
    box = module.definitions["Box"]
    assert box.text == "class Box(Base, kind='x'):\n    size\n    depth"
    assert box.bases == ("Base",)
    assert box.members == {"depth", "__init__", "volume", "check", VALUES}
    assert box.implicit == {"__init__", "check"}  # a framework may call what a decorator has registered
    assert module.definitions["Box.volume"].text == "@property\ndef volume(self):\n    return self.size * self.depth"


def test_imports_are_resolved_wherever_they_stand(module: Module) -> None:
    assert module.imports["np"] == Import("numpy")
    assert module.imports["plus"] == Import("house.tools", "add")
    assert module.imports["Shape"] == Import("house.inner.shapes", "Shape")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a: int) -> int:\n    return a", "def f(a):\n    'A.'\n\n    return (a)  # a"),
        ("def f():\n    logger.info('x', 1)\n    return 1", "def f():\n    return 1"),
        ("def f():\n    raise KeyError('a') from None", "def f():\n    raise KeyError(b) from None"),
        ("def f():\n    import a\n    return 1", "def f():\n    return 1"),
        ("def f():\n    x: int = 1", "def f():\n    x = 1"),
        ("def f():\n    assert a, 'b'", "def f():\n    assert a"),
        ("def f():\n    'Only words.'", "def f():\n    pass"),
    ],
)
def test_what_changes_no_result_is_not_kept(one: str, other: str) -> None:
    texts = [parse_module(text, "m", is_package=False).definitions["f"].text for text in (one, other)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a=1):\n    return a", "def f(a=2):\n    return a"),
        ("def f():\n    return 1", "def f():\n    return 1.0"),
        ("def f():\n    raise KeyError('a')", "def f():\n    raise ValueError('a')"),
        ("def f():\n    raise KeyError", "def f():\n    pass"),
        ("def f():\n    assert a", "def f():\n    assert b"),
        ("def f():\n    return logger.info('x')", "def f():\n    return None"),
        ("async def f():\n    pass", "def f():\n    pass"),
    ],
)
def test_what_may_change_a_result_is_kept(one: str, other: str) -> None:
    texts = [parse_module(text, "m", is_package=False).definitions["f"].text for text in (one, other)]
    assert texts[0] != texts[1]


def test_of_a_package_relative_imports_begin_at_itself() -> None:
    text = textwrap.dedent("from . import a\nfrom .b import c as d\n")
    imports = parse_module(text, "house.inner", is_package=True).imports
    assert imports == {"a": Import("house.inner", "a"), "d": Import("house.inner.b", "c")}
