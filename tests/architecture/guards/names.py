"""Names in the documentation: files, classes, columns and other names that pages put in code are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from guards.docs import columns_of, pages, parameter_fields, tables
from guards.project import CONF, ROOT, SOURCE
from guards.trees import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guards.project import Project

HISTORY = "CHANGELOG.md"
"""Names what was removed, too."""

FOLDERS = ("src", "tests", "conf", "docs", "notebooks", "benchmarks", ".ci")
"""Folders of the project that are under version control."""

OF_THE_READER = ("conf/local",)
"""Made by the reader, as pages describe."""

FOREIGN = {
    "Attributor": "bergson",
    "top_k": "bergson",
    "DatasetError": "kedro",
    "GpuIndex": "faiss",
    "log_figure": "mlflow",
    "simple_evaluate": "lm-eval",
    "acc_bytes": "lm-eval",
    "acc_norm": "lm-eval",
    "unpad_inputs": "WebOrganizer's classifiers",
    "use_memory_efficient_attention": "WebOrganizer's classifiers",
    "s_query": "a formula",
    "s_corpus": "a formula",
}
"""Name that is not the project's -> whose it is."""

FILE = re.compile(r"[\w./-]+")
DATA = re.compile(r"\d\d_\w+/")
"""A place below the data folder."""

IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
ENDINGS = {"csv", "html", "ipynb", "j2", "json", "jsonl", "md", "parquet", "safetensors", "toml", "yaml", "yml"}
PLACED = re.compile(r"((?:`\w+`(?:,? and |, )?)+) ?(?:in |\()`([\w/]+\.py)`")


def missing_files(root: Path) -> list[str]:
    """Find files and folders that pages name and that neither the project nor its catalog has."""
    return [
        f"{page}: {code} is not there"
        for page, text in _pages(root)
        for code in dict.fromkeys(_codes(text))
        if FILE.fullmatch(code) and not _is_placeholder(code) and not _is_there(code)
    ]


def unknown_names(root: Path) -> list[str]:
    """Find classes, columns, parameters and functions that nothing in source or configuration is called."""
    known = known_names() | set(FOREIGN)
    return [
        f"{page}: {name} is no name of the project"
        for page, text in _pages(root)
        for name in dict.fromkeys(part for code in _codes(text) for part in _parts(code))
        if name not in known and re.sub(r"_?\d+$", "", name) not in known
    ]


def unused_foreign(root: Path) -> list[str]:
    """Find foreign names that no page has."""
    used = {part for _, text in _pages(root) for code in _codes(text) for part in _parts(code)}
    return [f"{name} of {owner}: no page names it" for name, owner in FOREIGN.items() if name not in used]


def misplaced_names(root: Path) -> list[str]:
    """Find names that a page says are in a module (```A` in `b.py```, ```A` (`b.py`)``) that does not define them."""
    return [
        f"{page}: {place} does not define {name}"
        for page, text in _pages(root)
        for names, place in PLACED.findall(" ".join(text.split()))
        for name in re.findall(r"\w+", names.replace(" and ", " "))
        if (files := _files(place)) and not any(name in _defined(file) for file in files)
    ]


def wrong_attributes(root: Path, project: Project) -> list[str]:
    """Find dotted names that are no column, field or part of the table, parameter block or module before the dot."""
    fields, columns = {name.replace("[]", "") for name in parameter_fields(project)}, _columns(project)
    return [
        f"{page}: {code} is no column, parameter or part of a module"
        for page, text in _pages(root)
        for code in dict.fromkeys(_codes(text))
        if re.fullmatch(r"[A-Za-z]\w*(?:\.\w+)+", code)
        and code.rpartition(".")[2] not in {*ENDINGS, "py"}
        and not _resolves(code, fields, columns)
    ]


def columns_of_no_table(root: Path, project: Project) -> list[str]:
    """Find rows of a page's tables of columns (header ``column``) that no schema has."""
    known = {column for columns in _columns(project).values() for column in columns}
    return [
        f"{page}: no table has a column {name}"
        for page, text in _pages(root)
        for table in tables(text)
        if table.header[0] == "column"
        for row in table.rows
        for name in re.findall(r"`(\w+)`", row[0])
        if name not in known
    ]


@cache
def known_names() -> frozenset[str]:
    """Return every word of source and configuration that is no comment and no docstring."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        found |= {path.stem, *_words(parse(path.read_text(encoding="utf-8")))}
    for path in [*SOURCE.rglob("*.j2"), *CONF.rglob("*.yml")]:
        found.update(re.findall(r"\w+", re.sub(r"#.*", "", path.read_text(encoding="utf-8"))))
    return frozenset(found)


def _words(tree: ast.Module) -> Iterator[str]:
    spoken = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        texts = [getattr(node, field, None) for field in ("id", "attr", "name", "arg", "asname", "module")]
        texts += [node.value] if isinstance(node, ast.Constant) and id(node) not in spoken else []
        for text in texts:
            if isinstance(text, str):
                yield from re.findall(r"\w+", text)


def _pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield pages with their text, without blocks of code."""
    for page in pages(root):
        if page.name != HISTORY:
            text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
            yield page.relative_to(root).as_posix(), text


def _codes(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def _parts(code: str) -> list[str]:
    """Return the identifiers of a name, dotted or not, that are long enough to be looked for."""
    names = code.split(".") if re.fullmatch(r"[\w.]+", code) else []
    return [name for name in names if IDENTIFIER.fullmatch(name)]


def _is_placeholder(code: str) -> bool:
    """Return whether a step of a path stands for any name: ``NAME``, or one letter."""
    steps = [step for step in re.split(r"[/._]", code) if step]
    return any(step.isupper() or len(step) == 1 for step in steps) or code.startswith(OF_THE_READER)


def _is_there(code: str) -> bool:
    if code.endswith(".py"):
        return bool(_files(code))
    if DATA.match(code):
        return any(f"{code}/".startswith(f"{place}/") or f"{place}/".startswith(f"{code}/") for place in _data())
    folders = {*FOLDERS, *(path.name for path in SOURCE.iterdir() if path.is_dir())}
    if "/" not in code or code.partition("/")[0] not in folders:
        return True  # not a file of the project
    return any((base / code).exists() for base in (ROOT, SOURCE))


@cache
def _data() -> frozenset[str]:
    """Return the places below the data folder that the configuration names."""
    texts = (path.read_text(encoding="utf-8") for path in CONF.rglob("*.yml"))
    return frozenset(place for text in texts for place in re.findall(r"\b\d\d_\w+/[\w/.]*\w", text))


def _files(place: str) -> list[Path]:
    """Return the files that a name may mean: from the project, from the package, or by its last step alone."""
    exact = [base / place for base in (ROOT, SOURCE) if (base / place).is_file()]
    return exact or ([] if "/" in place else sorted(SOURCE.rglob(place)))


@cache
def _defined(path: Path) -> frozenset[str]:
    """Return what a module defines, not what it imports."""
    found: set[str] = set()
    for node in ast.walk(parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


def _columns(project: Project) -> dict[str, set[str]]:
    return {
        name.split("@")[0]: columns_of(entry["validator"])
        for name, entry in project.catalog.items()
        if "validator" in entry
    }


def _resolves(code: str, fields: set[str], columns: dict[str, set[str]]) -> bool:
    head, *rest = code.split(".")
    if head == "social_provenance":
        return _imports(code)
    modules = [*SOURCE.rglob(f"{head}.py"), *(path for path in SOURCE.rglob(head) if path.is_dir())]
    blocks = {name.partition(".")[0] for name in fields}
    if not modules and head not in blocks and head not in columns:
        return True  # begins with nothing that is known here
    return (
        any(f".{code}." in f".{name}." for name in fields)
        or rest[0] in columns.get(head, set())
        or any(_has(path, rest[0]) for path in modules)
    )


def _has(path: Path, name: str) -> bool:
    return name in _defined(path) if path.is_file() else any(path.glob(f"{name}*"))


def _imports(code: str) -> bool:
    steps = code.split(".")
    for end in range(len(steps), 0, -1):
        try:
            value: Any = import_module(".".join(steps[:end]))
        except ModuleNotFoundError:
            continue
        for name in steps[end:]:
            value = getattr(value, name, None)
        return value is not None
    return False
