"""Documentation: what it says of parameters, datasets, columns, pipelines, commands and pages is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING, Any, get_args, get_origin

import yaml
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from guards.project import PLACES, environments
from social_provenance import errors

if TYPE_CHECKING:
    from pathlib import Path

    from guards.project import Project

BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")
"""Pages that do not lie in ``docs``."""

OWN_ENVIRONMENT = "local"
"""The environment that pages have the reader make."""

OPTIONS = ("--env", "--pipelines", "--params", "--from-nodes", "--nodes")
NOT_SET = "–"
UNSET = object()


@dataclass(frozen=True)
class Table:
    """A table of a page: the heading above it, its header, its rows of cells."""

    heading: str
    header: list[str]
    rows: list[list[str]]


def pages(root: Path) -> list[Path]:
    """Return the pages of the project."""
    return [root / name for name in BESIDE if (root / name).exists()] + sorted((root / "docs").rglob("*.md"))


def broken_links(root: Path) -> list[str]:
    """Find relative links to a file or a heading that is not there."""
    found = []
    for page in pages(root):
        for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", link):
                continue
            place, _, anchor = link.partition("#")
            target = (page.parent / place).resolve() if place else page
            if not target.exists():
                found.append(f"{page.relative_to(root).as_posix()}: {link} is not there")
            elif anchor and anchor not in _anchors(target):
                found.append(f"{page.relative_to(root).as_posix()}: {link} has no such heading")
    return found


def unmapped_pages(root: Path) -> list[str]:
    """Find pages of ``docs`` that its index does not link to."""
    index = root / "docs" / "index.md"
    links = re.findall(r"\]\(([^)#\s]+)", index.read_text(encoding="utf-8"))
    mapped = {(index.parent / link).resolve() for link in links if ":" not in link} | {index.resolve()}
    own = [page for page in pages(root) if page.is_relative_to(root / "docs")]
    return [f"{page.relative_to(root).as_posix()}: not in the index" for page in own if page.resolve() not in mapped]


def dead_pointers(root: Path) -> list[str]:
    """Find places in code and configuration that point to a page that is not there."""
    return [
        f"{path.relative_to(root).as_posix()}: {pointer} is not there"
        for folder in ("src", "conf")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in (".py", ".yml", ".j2")
        for pointer in re.findall(r"\bdocs/[\w/-]+(?:\.md)?", path.read_text(encoding="utf-8"))
        if not list(root.glob(f"{pointer.rstrip('/')}*"))
    ]


def misdocumented_parameters(project: Project, text: str) -> list[str]:
    """Compare the fields of the parameter models, and their values in base, with the page on parameters."""
    fields = set(parameter_fields(project))
    said = {row[0].strip("`"): row[3] for table in tables(text) if table.header[0] == "field" for row in table.rows}
    return [
        *_differences(fields, set(said), "parameter"),
        *(
            f"parameter {name}: base has {value!r}, the page says {said[name]}"
            for name in sorted(fields & set(said))
            if not _says(said[name], value := _value(project.parameters, name))
        ),
    ]


def misdocumented_datasets(project: Project, text: str) -> list[str]:
    """Compare catalog entries, and the columns of tables, with the page on tables."""
    entries = {name.split("@")[0] for name in project.catalog}
    described = {table.heading.strip("`"): table for table in tables(text) if table.heading.startswith("`")}
    others = {name for table in tables(text) if table.header[0] == "dataset" for name in _names(_first(table.rows))}
    schemas = {
        name.split("@")[0]: entry["validator"] for name, entry in project.catalog.items() if "validator" in entry
    }
    found = _differences(entries, set(described) | others, "dataset")
    for name in sorted(set(schemas) & set(described)):
        found += _differences(columns_of(schemas[name]), set(_names(_first(described[name].rows))), f"{name}: column")
    return found


def misdocumented_pipelines(project: Project, text: str) -> list[str]:
    """Compare registered pipelines, their nodes, inputs and outputs with the page on pipelines."""
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    sums = {name for table in tables(text) if table.header[0] == "name" for name in _names(_first(table.rows))}
    found = _differences(set(project.pipelines), set(sections) | sums, "pipeline")
    for name, pipeline in project.parts().items():
        nodes, reads, writes = _parts_of_section(sections.get(name, ""))
        found += _differences({node.name for node in pipeline.nodes}, nodes, f"{name}: node")
        found += _differences(_plain(pipeline.inputs()), reads, f"{name}: input")
        found += _differences(_plain(pipeline.all_outputs()), writes, f"{name}: output")
    return found


def misdocumented_errors(text: str) -> list[str]:
    """Compare the errors that the user can put right with the page on errors."""
    known = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ProvenanceError)
    }
    return _differences(known, {name for name in _names([text]) if name in known or name.endswith("Error")}, "error")


def broken_commands(root: Path, project: Project) -> list[str]:
    """Find ``kedro run`` commands of the pages that name an environment, pipeline or parameter that is not there."""
    known = {
        "--env": {*environments(), OWN_ENVIRONMENT},
        "--pipelines": set(project.pipelines),
        "--params": {*PLACES, *parameter_fields(project)},
        "--from-nodes": (nodes := {node.name for node in project.nodes()}),
        "--nodes": nodes,
    }
    return [
        f"{page.relative_to(root).as_posix()}: {option} {value} is not there"
        for page in pages(root)
        for command in _commands(page.read_text(encoding="utf-8"))
        for option, value in _arguments(command)
        if not value.isupper() and value not in known.get(option, set())
    ]


def ranges_said(text: str) -> dict[str, str]:
    """Return what the page on parameters says under ``range``, by field."""
    return {row[0].strip("`"): row[2] for table in tables(text) if table.header[0] == "field" for row in table.rows}


def parameter_fields(project: Project) -> list[str]:
    """Return every field of every parameter block as ``block.field``; ``[]`` steps into the members of a list."""
    blocks = TypeExtractor(dict(project.pipelines)).extract_types_from_pipelines()
    models = {block: _models(kind) for block, kind in blocks.items()}
    return [name for block, own in models.items() if own for name in _fields(own[0], f"{block}.", own[1:])]


def _fields(model: type[BaseModel], prefix: str, others: Sequence[type[BaseModel]] = ()) -> Iterator[str]:
    """Yield the fields of a model, those that ``others`` have, too: of one of several models only these are sure."""
    for name, field in model.model_fields.items():
        if any(name not in other.model_fields for other in others):
            continue
        inner = _models(field.annotation)
        if inner != [field.annotation]:  # a value, several models, or none of one
            yield f"{prefix}{name}"
        if inner:
            listed = "[]" if get_origin(field.annotation) is Sequence else ""
            yield from _fields(inner[0], f"{prefix}{name}{listed}.", inner[1:])


def _models(kind: Any) -> list[type[BaseModel]]:
    """Return the models in an annotation."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for argument in get_args(kind) for model in _models(argument)]


def _value(parameters: Mapping[str, Any], name: str) -> Any:
    value: Any = parameters
    for step in name.split("."):
        value = value.get(step, UNSET) if isinstance(value, dict) else UNSET
    return value


def _says(cell: str, value: Any) -> bool:
    many = isinstance(value, list) and any(isinstance(member, dict) for member in value)
    return cell == NOT_SET if value is UNSET or many else bool(yaml.safe_load(cell) == value)


def columns_of(validator: str | Mapping[str, Any]) -> set[str]:
    """Return the columns of the schema that a ``validator`` of the catalog names."""
    module, _, name = (validator if isinstance(validator, str) else validator["class"]).rpartition(".")
    schema = getattr(import_module(module), name)
    return set(schema.to_schema().columns if hasattr(schema, "to_schema") else schema.columns)


def _parts_of_section(body: str) -> tuple[set[str], set[str], set[str]]:
    """Return what a section names after ``Nodes:``, ``Reads:`` and ``Writes:``."""
    parts = {}
    for key, end in (("Nodes:", "- Reads:"), ("Reads:", "- Writes:"), ("Writes:", "\n\n")):
        parts[key] = set(_names([body.partition(key)[2].partition(end)[0]]))
    return parts["Nodes:"], parts["Reads:"], parts["Writes:"]


def _plain(names: Iterable[str]) -> set[str]:
    return {name.removeprefix("params:").split("@")[0] for name in names}


def _differences(there: set[str], said: set[str], kind: str) -> list[str]:
    """Compare names; a pattern that is said, such as ``draw_{name}``, stands for all that fit it."""
    fitting = {name: {one for one in there if _pattern(name).fullmatch(one)} for name in said}
    return [
        *(f"{kind} {name} is not documented" for name in sorted(there - said - set().union(*fitting.values()))),
        *(f"{kind} {name} is documented and not there" for name in sorted(said - there) if not fitting[name]),
    ]


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(r"\w+".join(re.escape(part) for part in re.split(r"\{\w+\}", name)))


def tables(text: str) -> Iterator[Table]:
    """Yield the tables of a page."""
    heading, lines = "", iter(text.splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif line.startswith("|"):
            _, *rows = (_cells(row) for row in takewhile(lambda row: row.startswith("|"), lines))
            yield Table(heading, _cells(line), rows)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _first(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def _names(texts: list[str]) -> list[str]:
    return [name for text in texts for name in re.findall(r"`([\w.{}]+)`", text)]


def _commands(text: str) -> Iterator[str]:
    """Yield the arguments of each ``kedro run`` in code."""
    code = re.findall(r"```.*?\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    for block, inline in code:
        for line in (block or inline).replace("\\\n", "").splitlines():
            yield from re.findall(r"\bkedro run\b([^#]*)", line)


def _arguments(command: str) -> Iterator[tuple[str, str]]:
    """Yield (option, one of its values) of a command."""
    words = iter(shlex.split(command))
    for option in words:
        if option not in OPTIONS:
            yield option, ""
            return
        for value in next(words, "").split(","):
            yield option, value.partition("=")[0]


def without_code(text: str) -> str:
    """Return a page without blocks of code and code in lines."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
