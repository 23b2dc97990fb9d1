"""What can be reached from a function is found without anybody's help, and nothing else is."""

from __future__ import annotations

import functools
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.fingerprint import digest_of_code, digest_of_reach
from social_provenance.source.reach import Code, Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FILES = {
    "main": """
        from __future__ import annotations
        import logging
        from typing import TYPE_CHECKING
        from house import tools
        from house.shapes import Shape
        if TYPE_CHECKING:
            from house.store import Store
            Stores = list[Store]
        logger = logging.getLogger(__name__)
        SIZE = 3

        def work(stores: Stores, shape: Shape) -> int:
            \"\"\"Work.\"\"\"
            from house.deep import dig
            logger.info("at work: %s", tools.told())
            if not stores:
                raise ValueError(tools.excuse())
            return SIZE * tools.add(stores[0].read(), dig()) + shape.area()

        def other() -> int:
            return tools.unused()
        """,
    "tools": """
        from house.numbers import ONE as UNIT

        def add(a, b):
            return a + b + UNIT

        def unused():
            return 0

        def told():
            return 1

        def excuse():
            return "none"
        """,
    "numbers": "ONE = 1\nTWO = 2\n",
    "deep": """
        from . import deeper

        def dig():
            return deeper.bottom()
        """,
    "deeper": """
        from functools import lru_cache

        TABLE = {}

        @lru_cache
        def bottom():
            return max(TABLE.get(key, 0) for key in (1, 2))
        """,
    "store": """
        class Store:
            LIMIT = 4

            def __init__(self, rows):
                self.rows = rows

            def read(self):
                return self.scaled()

            def scaled(self):
                return 2 * len(self.rows)

            def forget(self):
                return 0
        """,
    "shapes": """
        class Shape:
            def area(self):
                raise NotImplementedError

            def name(self):
                return "shape"

        class Square(Shape):
            def area(self):
                return 4

        class Circle(Shape):
            def area(self):
                return 3

        class Named(Shape):
            def name(self):
                return "named"
        """,
    "errors": "class Trouble(Exception):\n    pass\n",
}

Edit = tuple[str, str, str]

REACHED: list[Edit] = [
    ("main", "SIZE = 3", "SIZE = 4"),
    ("main", "SIZE * tools", "SIZE + tools"),
    ("main", "if not stores", "if stores"),
    ("tools", "a + b + UNIT", "a - b + UNIT"),
    ("tools", "import ONE as UNIT", "import TWO as UNIT"),
    ("numbers", "ONE = 1", "ONE = 7"),
    ("deep", "deeper.bottom()", "-deeper.bottom()"),
    ("deeper", "TABLE = {}", "TABLE = {1: 1}"),
    ("deeper", "@lru_cache", ""),
    ("deeper", "import lru_cache", "import cache as lru_cache"),
    ("deeper", "max(", "min("),
    ("store", "2 * len", "3 * len"),
    ("store", "self.rows = rows", "self.rows = rows[1:]"),
    ("store", "LIMIT = 4", "LIMIT = 5"),
    ("shapes", "return 4", "return 5"),
    ("shapes", "return 3", "return 5"),
    ("shapes", "raise NotImplementedError", "return 0"),
    ("shapes", "class Circle(Shape)", "class Circle(Square)"),
    ("tools", "def add(a, b):", "print('loaded')\n\ndef add(a, b):"),
]
"""One change of the code in each place that ``work`` comes through."""

APART: list[Edit] = [
    ("main", '"""Work."""', '"""Works."""'),
    ("main", "SIZE = 3", "SIZE = 3  # of the table"),
    ("main", "SIZE = 3", "SIZE  =  (3)"),
    ("main", '-> int:\n    "', '-> float:\n    "'),
    ("main", "shape: Shape", "shape: 'Shape'"),
    ("main", "at work: %s", "working: %s"),
    ("main", "ValueError(tools.excuse())", "ValueError('none')"),
    ("main", "tools.unused()", "tools.unused() + 1"),
    ("tools", "return 0", "return 1"),
    ("tools", 'return "none"', 'return "nothing"'),
    ("numbers", "TWO = 2", "TWO = 3"),
    ("store", "return 0", "return 1"),
    ("shapes", 'return "named"', 'return "nobody"'),
    ("errors", "pass", "code = 1"),
]
"""One change in each place that says nothing, or is not reached."""


def planted(tmp_path: Path, files: Mapping[str, str], name: str = "house") -> Code:
    import textwrap

    root = tmp_path / name
    root.mkdir(parents=True, exist_ok=True)
    (root / "__init__.py").write_text("")
    for module, text in files.items():
        path = root / f"{module}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return Code(root, name)


def after(edit: Edit) -> dict[str, str]:
    import textwrap

    module, old, new = edit
    text = textwrap.dedent(FILES[module])
    assert old in text, edit
    return {**FILES, module: text.replace(old, new)}


def identity(code: Code, *names: str) -> str:
    """Return the digest of definitions of ``main`` by their names alone: nothing planted is imported."""
    return digest_of_reach(code, frozenset(("house.main", name) for name in names or ["work"]))


@pytest.mark.parametrize("edit", REACHED, ids=lambda edit: f"{edit[0]}: {edit[2]}")
def test_any_change_of_what_is_reached_changes_the_digest(tmp_path: Path, edit: Edit) -> None:
    before = identity(planted(tmp_path / "before", FILES))
    assert identity(planted(tmp_path / "after", after(edit))) != before


@pytest.mark.parametrize("edit", APART, ids=lambda edit: f"{edit[0]}: {edit[2]}")
def test_what_says_nothing_or_is_not_reached_changes_nothing(tmp_path: Path, edit: Edit) -> None:
    before = identity(planted(tmp_path / "before", FILES))
    assert identity(planted(tmp_path / "after", after(edit))) == before


def test_the_change_that_is_apart_from_one_function_is_behind_another(tmp_path: Path) -> None:
    before = identity(planted(tmp_path / "before", FILES), "other")
    edit = ("tools", "return 0", "return 1")
    assert identity(planted(tmp_path / "after", after(edit)), "other") != before


def test_a_definition_is_what_it_says_and_not_where_it_stands(tmp_path: Path) -> None:
    before = identity(planted(tmp_path / "before", FILES))
    moved = {name: text for name, text in FILES.items() if name != "numbers"}
    moved |= {"far/numbers": FILES["numbers"], "far/__init__": ""}
    moved["tools"] = moved["tools"].replace("house.numbers", "house.far.numbers")
    assert identity(planted(tmp_path / "after", moved)) == before


def test_two_definitions_that_change_places_are_told_apart(tmp_path: Path) -> None:
    """Each of two functions of one name calls the other's helper: the same texts, another program."""
    one = {
        "main": "from house import a, b\n\ndef work():\n    return a.go() - 2 * b.go()\n",
        "a": "from house.x import help\n\ndef go():\n    return help()\n",
        "b": "from house.y import help\n\ndef go():\n    return help()\n",
        "x": "def help():\n    return 1\n",
        "y": "def help():\n    return 2\n",
    }
    swapped = {**one, "a": one["b"], "b": one["a"]}
    assert identity(planted(tmp_path / "one", one)) != identity(planted(tmp_path / "other", swapped))


def test_a_new_module_is_in_it_as_soon_as_it_is_imported(tmp_path: Path) -> None:
    new = {**FILES, "fresh": "def fresh():\n    return 1\n"}
    called = {**new, "deep": new["deep"].replace("deeper.bottom()", "deeper.bottom() + fresh()")}
    called["deep"] = called["deep"].replace(
        "from . import deeper", "from . import deeper\n        from .fresh import fresh"
    )
    before = identity(planted(tmp_path / "a", FILES))
    assert identity(planted(tmp_path / "b", new)) == before
    with_it = identity(planted(tmp_path / "c", called))
    assert with_it != before
    changed = {**called, "fresh": "def fresh():\n    return 2\n"}
    assert identity(planted(tmp_path / "d", changed)) != with_it


PROTOCOL = {
    "main": """
        from __future__ import annotations
        from typing import Protocol

        class Says(Protocol):
            def say(self): ...
            def loud(self): ...

        def work(one: Says):
            return one.say()
        """,
    "parrot": "class Parrot:\n    def say(self):\n        return 1\n    def loud(self):\n        return 2\n",
    "mouse": "class Mouse:\n    def say(self):\n        return 0\n",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "same"),
    [
        ("parrot", "return 1", "return 5", False),
        ("parrot", "return 2", "return 5", True),
        ("mouse", "return 0", "return 5", True),
    ],
)
def test_whatever_fulfils_a_protocol_may_be_what_is_given(
    tmp_path: Path, file: str, old: str, new: str, same: bool
) -> None:
    before = identity(planted(tmp_path / "a", PROTOCOL))
    changed = {**PROTOCOL, file: PROTOCOL[file].replace(old, new)}
    assert (identity(planted(tmp_path / "b", changed)) == before) is same


def test_a_local_name_does_not_stand_for_the_module_of_that_name(tmp_path: Path) -> None:
    files = {"main": "from house import tools\n\ndef work(tools):\n    return [tools for tools in tools]\n"}
    reach = Reach.of(planted(tmp_path, {**FILES, **files}), [("house.main", "work")])
    assert set(reach.edges) == {("house.main", "work")}


def test_a_module_that_is_handed_on_is_reached_as_a_whole(tmp_path: Path) -> None:
    files = {"main": "from house import tools\n\ndef work():\n    return vars(tools)\n"}
    reach = Reach.of(planted(tmp_path, {**FILES, **files}), [("house.main", "work")])
    assert ("house.tools", "unused") in reach.edges


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import the planted package for real."""
    planted(tmp_path, FILES)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda name: importlib.import_module(f"house.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def test_roots_are_found_behind_functions_partials_methods_objects_and_modules(
    house: Callable[[str], Any], tmp_path: Path
) -> None:
    code = Code(tmp_path / "house", "house")
    main, store = house("main"), house("store")
    work = [("house.main", "work")]
    assert list(code.roots_of(main.work)) == work
    assert list(code.roots_of(functools.partial(main.work, 1, shape=2))) == work
    assert list(code.roots_of(functools.partial(max, main.work))) == work
    assert list(code.roots_of(store.Store)) == [("house.store", "Store")]
    assert list(code.roots_of(store.Store([]))) == [("house.store", "Store")]
    assert list(code.roots_of(store.Store([]).read)) == [("house.store", "Store"), ("house.store", "Store.read")]
    assert set(code.roots_of("house.numbers")) == {("house.numbers", "ONE"), ("house.numbers", "TWO")}
    assert list(code.roots_of(max)) == list(code.roots_of("x".join)) == []


def test_of_several_subclasses_only_the_given_one_counts(house: Callable[[str], Any], tmp_path: Path) -> None:
    main, shapes = house("main"), house("shapes")
    before = {
        kind: digest_of_code(main.work, kind, code=Code(tmp_path / "house", "house"))
        for kind in (shapes.Square, shapes.Circle)
    }
    other = planted(tmp_path / "other", after(("shapes", "return 3", "return 5")))
    assert digest_of_code(main.work, shapes.Square, code=other) == before[shapes.Square]
    assert digest_of_code(main.work, shapes.Circle, code=other) != before[shapes.Circle]


def test_the_reader_of_the_store_is_behind_the_walk_and_its_docstrings_are_not(edited: Callable[..., Code]) -> None:
    from social_provenance.gradients.walk import collect

    before = digest_of_code(collect._write)
    for file, old, new, same in (
        ("gradients/walk/store.py", "yield start, numbers[", "yield start, 2 * numbers[", False),
        ("gradients/walk/finish.py", '"""Read every gradient', '"""Reads every gradient', True),
        ("gradients/walk/collect.py", "iter(batch_size=1000)", "iter(batch_size=999)", True),
    ):
        assert (digest_of_code(collect._write, code=edited(file, old, new)) == before) is same
