"""Maps: the docstring of a package that draws its flow names every module of the package."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def unmapped_modules(source: Path) -> list[str]:
    """Find modules and subpackages that the map of their package does not name, and names that are neither.

    A package has a map if its docstring has a diagram, a literal block after ``::``. The names stand at the start of
    the entries of its list, in double backquotes.
    """
    found = []
    for package in sorted(source.rglob("__init__.py")):
        docstring = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
        if "::\n" not in docstring:
            continue
        folder = package.parent
        modules = {path.stem for path in folder.glob("*.py") if path != package}
        modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
        name = package.relative_to(source).as_posix()
        mapped = set(re.findall(r"``(\w+)``", docstring))
        headed = {each for entry in _entries(docstring) for each in re.findall(r"``(\w+)``", entry.partition(":")[0])}
        found += [f"{name}: the map lacks {module}" for module in sorted(modules - mapped)]
        found += [f"{name}: there is no module {module}" for module in sorted(headed - modules)]
    return found


def _entries(docstring: str) -> list[str]:
    return re.findall(r"^- (.*(?:\n  .*)*)", docstring, re.MULTILINE)
