"""Additions to the project, made in a copy of it: what they break, and how many files they take."""

from __future__ import annotations

import filecmp
import json
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from guards.catalog import accidental_memory, dead_entries, loose_ends, tables_without_schema
from guards.docs import BESIDE, misdocumented_datasets, misdocumented_parameters, misdocumented_pipelines
from guards.layers import without_layer
from guards.methods import misdocumented_methods
from guards.parameters import refused_parameters, unchecked_blocks, unresolved_annotations, unused_fields
from guards.project import ROOT, read_project
from guards.source import greedy_nodes, long_functions, long_modules, misnamed_nodes, modules_without_test

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable
    from pathlib import Path

TREE = ("src", "conf", "docs", "tests", "pyproject.toml", "conftest.py", *BESIDE)
"""What a copy has of the project."""

SOURCE = "src/social_provenance"
WRITTEN_BY_RUNS = ("__pycache__", ".pytest_cache", "*.pyc")
UNFINISHED = "*.pyc.*"
"""Bytecode that another process writes; what is finished is copied, so that a script does not compile all again."""
PLACEHOLDER = "NAME"
"""Stands in CONTRIBUTING for the name of what is added."""


@dataclass(frozen=True)
class Copy:
    """A copy of the project that may be changed.

    Attributes:
        root: Its folder.
        run: Runs a script on it in a process of its own.
    """

    root: Path
    run: Callable[..., subprocess.CompletedProcess[str]]

    @classmethod
    def below(cls, folder: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> Copy:
        """Copy the project into a folder."""
        for name in TREE:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns(UNFINISHED, ".pytest_cache"))
            else:
                shutil.copy(source, target)
        return cls(folder, run)

    def write(self, path: str, text: str) -> None:
        """Add a file; ``path`` is relative to the project."""
        target = self.root / path
        if target.exists():
            raise FileExistsError(f"{path} is there already: patch it")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def insert(self, path: str, text: str, before: str) -> None:
        """Add text to a file, before other text that is in it exactly once."""
        target = self.root / path
        found = target.read_text(encoding="utf-8")
        if found.count(before) != 1:
            raise ValueError(f"{path} has {before!r} {found.count(before)} times")
        target.write_text(found.replace(before, text + before), encoding="utf-8")

    def touched(self) -> list[str]:
        """Return the files that were added, changed or removed since the project was copied."""
        own, original = _files(self.root), _files(ROOT)
        same = {name for name in own & original if filecmp.cmp(self.root / name, ROOT / name, shallow=False)}
        return sorted((own | original) - same)

    def ask(self, script: str) -> Any:
        """Run a script on the copied project, guards included; it prints JSON as its last line.

        Raises:
            RuntimeError: With what the script said before it failed.
        """
        result = self.run(
            script=script,
            folder=str(self.root),
            paths=[str(self.root / "src"), str(self.root / "tests/architecture")],
            # Plugins of pytest are loaded as it starts, which a script may have it do after importing them otherwise.
            environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        if result.returncode:
            raise RuntimeError(f"{result.stdout[-4000:]}{result.stderr[-4000:]}")
        return json.loads(result.stdout.splitlines()[-1])


def broken_conventions() -> list[str]:
    """Find what the project on the path breaks of the conventions that an addition can break."""
    project, pages = read_project(), ROOT / "docs" / "reference"
    of_project = (accidental_memory, loose_ends, dead_entries, tables_without_schema, without_layer, greedy_nodes)
    of_parameters = (misnamed_nodes, unresolved_annotations, unchecked_blocks, refused_parameters)
    of_pages = {
        "parameters": misdocumented_parameters,
        "tables": misdocumented_datasets,
        "pipelines": misdocumented_pipelines,
    }
    return [
        *(line for guard in (*of_project, *of_parameters) for line in guard(project)),
        *(line for guard in (long_modules, long_functions) for line in guard(ROOT / SOURCE)),
        *unused_fields(project, ROOT / SOURCE),
        *modules_without_test(ROOT / SOURCE, ROOT / "tests"),
        *misdocumented_methods((pages / "methods.md").read_text()),
        *(line for page, guard in of_pages.items() for line in guard(project, (pages / f"{page}.md").read_text())),
    ]


def recipe(text: str, title: str) -> list[str]:
    """Return the files that CONTRIBUTING names for an addition; the name of what is added is ``NAME``.

    Raises:
        ValueError: If there is no such recipe.
    """
    found = re.search(rf"^\*\*{re.escape(title)}\*\*.*?(?=\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(f"CONTRIBUTING has no recipe {title!r}")
    return [span for span in re.findall(r"`([^`]+)`", found.group()) if re.search(r"/.*\.\w+$", span)]


def off_recipe(touched: Iterable[str], files: Iterable[str]) -> list[str]:
    """Find touched files that a recipe does not name; its paths start in the project or in the package."""
    allowed = [place + name.replace(PLACEHOLDER, "*") for name in files for place in ("", f"{SOURCE}/")]
    return [f"{path}: the recipe does not name it" for path in touched if not any(fnmatch(path, a) for a in allowed)]


def _files(root: Path) -> set[str]:
    found = {path for name in TREE for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*"))}
    return {
        path.relative_to(root).as_posix()
        for path in found
        if path.is_file() and not any(fnmatch(part, name) for part in path.parts for name in WRITTEN_BY_RUNS)
    }
