"""The map at the door of a package is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.maps import unmapped_modules
from guards.project import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

MAP = '''"""A package.

::

    in -> out

- ``first``, ``second``: two modules (``run``)
- ``inner``: a package
"""
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the source of a package with a map, two modules and a package in it."""
    for name in ("a/__init__.py", "a/first.py", "a/second.py", "a/inner/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "a" / "__init__.py").write_text(MAP)
    return tmp_path


def test_maps_name_all_modules() -> None:
    assert unmapped_modules(SOURCE) == []


def test_a_complete_map_is_no_finding(package: Path) -> None:
    assert unmapped_modules(package) == []


@pytest.mark.parametrize("name", ["third.py", "third/__init__.py"])
def test_a_module_that_the_map_lacks_is_found(package: Path, name: str) -> None:
    (package / "a" / name).parent.mkdir(exist_ok=True)
    (package / "a" / name).write_text("")
    assert unmapped_modules(package) == ["a/__init__.py: the map lacks third"]


def test_a_module_that_is_gone_is_found(package: Path) -> None:
    (package / "a" / "second.py").unlink()
    assert unmapped_modules(package) == ["a/__init__.py: there is no module second"]


def test_a_package_without_a_diagram_has_no_map(package: Path) -> None:
    (package / "a" / "__init__.py").write_text('"""A package."""\n')
    assert unmapped_modules(package) == []
