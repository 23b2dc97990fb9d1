"""The page on errors, written from the source: every message that a user can meet, with its cause and its cure.

``PYTHONPATH=tests/architecture uv run python -m guards.errors`` writes it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from guards.messages import Messages
from guards.project import ROOT, SOURCE
from guards.trees import Module, above
from guards.words import MAY, bare, finished, has_text, mark, shown, without_optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "reference" / "errors.md"
COMMAND = "PYTHONPATH=tests/architecture uv run python -m guards.errors"

PARAMETERS, LIBRARIES, REASONS, WARNINGS = (
    "Parameters",
    "Files, disks and names of the command line",
    "Reasons",
    "Warnings",
)
INTRODUCED = {
    PARAMETERS: "Parameters out of their range, or that contradict each other, are refused before the run starts; "
    "`params:BLOCK.FIELD: ` stands before the message. The ranges are in [Parameters](parameters.md).",
    LIBRARIES: "Errors of the system, of Kedro and of libraries, in the project's words.",
    REASONS: "What stands in a message above as its REASON, where the project itself found it.",
    WARNINGS: "These do not end a run.",
}

VERBS = (
    "add allow change check choose collect convert decompose end evaluate fetch fix free give label leave lower make "
    "merge move name number pin plan put raise read regenerate remove rename report rerun restore run save say see set "
    "skip start store take train unpack use wait write"
).split()
_VERB = rf"(?:{'|'.join(VERBS)})\b(?! RUN_ID)"
_CURES = (
    re.compile(rf"[:;] (?={_VERB}|did you mean\b|for your own\b)"),
    re.compile(rf", (?={_VERB})|[:;] (?=it must\b)"),
)
"""What separates the cause from the cure; the second where the first is not there."""

VALIDATORS = ("model_validator", "field_validator", "validator")
OF_PROGRAMMERS = ("NotImplementedError", "TypeError", "FileNotFoundError")
"""Raised where the code is wrong, or raised for a caller that handles them: no user meets them."""

PHRASES = {
    "hooks.phrases": (
        "phrase",
        "_of_configuration",
        "_of_usage",
        "_of_system",
        "_of_room",
        "_of_dataset",
        "_of_selection",
    )
}
EXPLAINED = {"hooks.errors": ("_explain",)}
"""Functions that return messages which are printed and not raised."""


@dataclass(frozen=True)
class Row:
    """A message: its section, the module it arises in, and its text with marks of values."""

    section: str
    module: str
    line: int
    text: str

    @property
    def message(self) -> str:
        """The message with words in capitals."""
        return finished(self.text)

    def split(self) -> tuple[str, str]:
        """Return the cause and the cure; the cure is empty if the message has none."""
        for pattern in _CURES:
            for found in pattern.finditer(self.message):
                before = self.message[: found.start()]
                if before.count("(") == before.count(")") and not before.endswith(MAY):
                    return shown(before), shown(self.message[found.end() :])
        return shown(self.message), ""

    def is_cured(self) -> bool:
        """Return whether the message says what to do, also without the pieces that may be missing."""
        return bool(Row(self.section, self.module, self.line, without_optional(self.text)).split()[1])


def read_package(source: Path) -> tuple[Messages, list[Row]]:
    """Return the texts of a package and its messages; read once as long as the source is the same."""
    return _read(source, tuple(path.read_text(encoding="utf-8") for path in sorted(source.rglob("*.py"))))


@cache
def _read(source: Path, texts: tuple[str, ...]) -> tuple[Messages, list[Row]]:
    del texts  # what was read before is not what is there now if they differ
    messages = Messages(source)
    return messages, rows(messages)


def rows(messages: Messages) -> list[Row]:
    """Return every message of a package, those that only put a place before another message left out."""
    found = []
    for module in messages.modules.values():
        for section, node, text in _sites(messages, module):
            texts = messages.texts(text, node, module)
            if section == WARNINGS:  # what is left of a logger's format in a text that is not written at the call
                texts = tuple(re.sub(r"%[-\d.]*[sdfr]", mark("VALUE"), one) for one in texts)
            own = [one for one in texts if not _passes_on(node, one, module, error_classes(messages))]
            found += [Row(section, module.name, node.lineno, one) for one in own if section != REASONS or has_text(one)]
    for section, functions in ((LIBRARIES, PHRASES), (PARAMETERS, EXPLAINED)):
        for name, returning in functions.items():
            module = messages.modules.get(name)
            for function in returning if module else ():
                texts = messages.returned(module, function)
                line = module.functions[function].lineno
                found += [Row(section, name, line, text) for text in texts if has_text(text)]
    return sorted(found, key=lambda row: (row.module, row.line))


def error_classes(messages: Messages) -> dict[str, str]:
    """Return the errors that a user can put right, base first, with the first line of their docstrings."""
    classes = [node for node in messages.modules["errors"].tree.body if isinstance(node, ast.ClassDef)]
    return {node.name: (ast.get_docstring(node) or "").partition("\n")[0] for node in classes}


def _sites(messages: Messages, module: Module) -> Iterator[tuple[str, ast.AST, ast.expr]]:
    """Yield the section, the call and the text of every message that is made in a module."""
    known = error_classes(messages)
    others = (*known, *OF_PROGRAMMERS)
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[text]) if name in known:
                yield name, node, text
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=[*_, text])) if (
                _is_class(name) and name not in others
            ):
                yield PARAMETERS if _validates(node, module) else REASONS, node, text
            case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr="warning"), args=[text, *values]):
                yield WARNINGS, node, _filled(text, values)


def _is_class(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()


def _validates(node: ast.AST, module: Module) -> bool:
    """Return whether a node is in a validator of a model of parameters."""
    around = [one for one in above(node, module) if isinstance(one, ast.FunctionDef)]
    return any(word in ast.unparse(each) for one in around for each in one.decorator_list for word in VALIDATORS)


def _filled(text: ast.expr, values: list[ast.expr]) -> ast.expr:
    """Return a text of a logger with its values in place, as an f-string has them; a variable as it is."""
    if not isinstance(text, ast.Constant):
        return text
    flat = [one for value in values for one in (value.value.elts if _is_spread(value) else [value])]
    parts: list[ast.expr] = []
    for piece in re.split(r"(%[-\d.]*[sdfr])", str(text.value).replace("%%", "%\0")):
        if re.fullmatch(r"%[-\d.]*[sdfr]", piece):
            value = flat.pop(0) if flat else ast.Name("value")
            spec = ast.JoinedStr([]) if piece[-1] in "df" else None
            parts.append(ast.FormattedValue(value, ord("r") if piece[-1] == "r" else -1, spec))
        else:
            parts.append(ast.Constant(piece.replace("%\0", "%")))
    joined = ast.JoinedStr(parts)
    return joined


def _is_spread(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple)


def _passes_on(node: ast.AST, text: str, module: Module, known: Iterable[str]) -> bool:
    """Return whether a message only puts a place before that of an error which is being handled."""
    handled = [one.type for one in above(node, module) if isinstance(one, ast.ExceptHandler) and one.type]
    return any(ast.unparse(one) in known for one in handled) and finished(text).endswith(": REASON")


def _cell(text: str) -> str:
    return " ".join(re.sub(r"([|*<])", r"\\\1", text).split())


def page(source: Path = SOURCE) -> str:
    """Return the page on errors."""
    messages, found = read_package(source)
    sections = {f"`{name}`": (name, said) for name, said in error_classes(messages).items()}
    sections |= {name: (name, said) for name, said in INTRODUCED.items()}
    parts = [HEAD.format(command=COMMAND)]
    for heading, (name, said) in sections.items():
        if own := [row for row in found if row.section == name]:
            parts.append(f"\n## {heading}\n\n{said}\n\n" + "".join(_table(own, whole=name in (REASONS, WARNINGS))))
    return "".join(parts)


def _table(found: Iterable[Row], *, whole: bool) -> Iterator[str]:
    """Yield the lines of a table; ``whole`` messages are not split into cause and cure."""
    modules: dict[tuple[str, ...], list[str]] = {}
    for row in found:
        cells = (shown(row.message),) if whole else row.split()
        modules.setdefault(cells, []).append(f"`{row.module}`")
    header = ("message", "where") if whole else ("cause", "cure", "where")
    yield f"| {' | '.join(header)} |\n|{' --- |' * len(header)}\n"
    for cells, where in modules.items():
        yield f"| {' | '.join(map(_cell, cells))} | {', '.join(dict.fromkeys(where))} |\n"


def faulty_messages(source: Path = SOURCE) -> list[str]:
    """Find messages that cannot be read from the source, or break a law of messages."""
    messages, found = read_package(source)
    known = error_classes(messages)
    return [
        *(
            f"{module.name}:{line}: {what}"
            for module in messages.modules.values()
            for line, what in _unread(module, known)
        ),
        *(f"errors: {name} is never raised" for name in list(known)[1:] if name not in {row.section for row in found}),
        *(f"{row.module}:{row.line}: {what}" for row in found for what in _broken_laws(row)),
    ]


def _unread(module: Module, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the places where an error is raised or made in a way that is not read."""
    made = [one.name for one in module.functions.values() if one.returns and ast.unparse(one.returns) in known]
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in known:
                if len(args) != 1 or keywords:
                    yield node.lineno, f"{name} is made of other things than one text"
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
                if not (name in (*known, *made, "at") or _is_class(name)):
                    yield node.lineno, f"what {name}() returns is raised, and is not annotated as an error"
            case ast.Name(id=name) if name in known and not _is_type(node, module):
                yield node.lineno, f"{name} is passed on as a value, so its messages cannot be found"


def _is_type(node: ast.AST, module: Module) -> bool:
    """Return whether the name of a class stands where it is called, handled, compared, derived from or annotates."""
    for child, parent in zip((node, *above(node, module)), above(node, module), strict=False):
        match parent:
            case ast.Call(func=called, args=[*_]) if called is child:
                return True
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass" | "suppress")):
                return True
            case ast.ExceptHandler() | ast.ClassDef():
                return child is getattr(parent, "type", None) or child in getattr(parent, "bases", [])
            case ast.AnnAssign(annotation=kind) | ast.arg(annotation=kind) | ast.FunctionDef(returns=kind):
                return child is kind
            case ast.Raise(exc=raised):
                return child is raised
    return False


def _broken_laws(row: Row) -> Iterator[str]:
    text = shown(row.message)
    if not re.search("[a-z]{2}", bare(row.text)):
        yield f"{text!r} has no text of its own"
    if "\n" in row.text:
        yield f"{text!r} is more than one line"
    if "  " in text or text != text.strip():
        yield f"{text!r} has spaces too many"
    if re.search(r"[.!]$", text.rstrip("]")) and not text.endswith("..."):
        yield f"{text!r} ends in a full stop"
    if row.section not in (REASONS, WARNINGS) and not row.is_cured():
        yield f"{text!r} has no cure: end it with ': ' or '; ' and what to do ({', '.join(VERBS[:8])}, ...)"


HEAD = """# Errors

<!-- generated by `{command}`; do not edit -->

An error ends the run with one line on stderr, `error: ...`, and exit code 1. The line names the location, quotes the
value and gives the fix. Partially written artifacts are never read as complete.

The traceback is printed above the line if the environment variable `SOCIAL_PROVENANCE_DEBUG` is 1. An error that is
not known (`error: KIND: TEXT (unexpected: report it with the traceback in FILE)`) is a bug; its traceback is also
kept, in a file of the system's folder for temporary files.

All below are `ProvenanceError`s (`src/social_provenance/errors.py`), but for those of libraries, which are phrased in
`src/social_provenance/hooks/phrases.py`, and for parameters and tables that violate their schema, which are Kedro's.

Words in capitals stand for values, and what is in brackets is not always there. A message is its cause and its cure,
with a colon or a semicolon between. To find yours, search this page for a few words of it that are not values. The
last column is the module of `src/social_provenance` that it comes from.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
