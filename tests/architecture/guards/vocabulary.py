"""Prose: words that an ML engineer would stop at, each with what to write instead.

Pages are prose, and so are the docstrings, comments and texts of the source, and the templates of the report.
"""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from guards.docs import pages, without_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EXCLUDED: tuple[str, ...] = ()
"""Folders whose pages are not rewritten yet; every other page is read."""

EXCLUDED_SOURCE: tuple[str, ...] = ()
"""Packages and modules whose source is not rewritten yet; every other one is read."""

TEXTS = (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
"""Tokens of Python that hold prose: texts, docstrings, comments; from Python 3.12 on, pieces of f-strings too."""


@dataclass(frozen=True)
class Wording:
    """A wording that is never right in this project's prose.

    Attributes:
        pattern: Regular expression, without regard to case.
        write: What to write instead.
        example: A phrase that has it.
    """

    pattern: str
    write: str
    example: str


WORDINGS = (
    Wording(r"foretell(?:s|ing)?|foretold", "predict, predicted", "the sum foretells the effect"),
    Wording(r"foremost", "top, leading", "the foremost topics"),
    Wording(r"anew", "again, or re- (retrain, recompute)", "the model is trained anew"),
    Wording(r"untold", "unknown, missing", "a label that is untold"),
    Wording(r"nought", "zero", "an effect of nought"),
    Wording(r"mend(?:s|ed|ing)?", "fix", "mend the pattern"),
    Wording(r"by name only", "opt-in", "run by name only"),
    Wording(r"(?:is|are) no (?:finite )?numbers?", "is not finite", "a loss is no number"),
    Wording(r"the way of the data", "the data flow", "the way of the data"),
    Wording(r"(?:at most so many|so many at most)", "an upper bound", "documents are at most so many"),
    Wording(r"whatever (?:its|the) sign", "absolute", "the pull, whatever its sign"),
    Wording(r"pull of a \w+", "absolute influence", "the pull of a document"),
    Wording(r"patched in", "tail-patch, trained for extra steps on", "one topic patched in"),
    Wording(r"was the planted|the planted (?:found|is|was)", "the planted topics", "was the planted found?"),
    Wording(r"(?:hold|holds|held)(?: (?!against\b)[^\s.;|]+){1,8} against", "contrast, compare", "holds A against B"),
    Wording(r"held against", "contrasted, compared", "the map is held against it"),
    Wording(r"(?:is|are|being|been|was|were) told", "reported, given", "the cost is told before the first run"),
    Wording(r"spoken for", "represented", "all bins are spoken for"),
    Wording(r"judged by (?:its|their) relatives", "shrunk towards", "a bin judged by its relatives"),
    Wording(r"go(?:es)? on (?:at|with|where)", "continue", "a killed run goes on with the next"),
    Wording(
        r"nats an? \w+|(?:documents|pages|tokens) a second"
        r"|\d[\d,.]* (?!(?:as|at|for|from|in|is|of|on|to|with) )\w+ an? "
        r"(?:benchmark|bin|capability|document|module|page|run|second|shard|step|token|topic)",
        "per (nats per token)",
        "0.24 nats a token",
    ),
)


def dated_wordings(root: Path) -> list[str]:
    """Find wordings of the list in pages, outside of code."""
    return _dated(_prose(root))


def dated_source(source: Path, excluded: tuple[str, ...] = EXCLUDED_SOURCE) -> list[str]:
    """Find wordings of the list in docstrings, comments, texts and templates of the source, outside of code."""
    return _dated(
        (name, " ".join(without_code(text).split()))
        for path in sorted(source.rglob("*"))
        if path.suffix in (".py", ".j2")
        if not (name := path.relative_to(source).as_posix()).startswith(tuple(f"{each}/" for each in excluded))
        if name not in excluded
        for text in _texts(path)
        if text and not text.isspace()
    )


def bare_decimals(root: Path) -> list[str]:
    """Find numbers without a leading zero in pages, outside of code."""
    return [
        f"{page}: {found.group(0)!r}: write a leading zero"
        for page, text in _prose(root)
        for found in re.finditer(r"(?<![\w.)\]/])\.\d+", text)
    ]


ANY = re.compile("|".join(rf"\b(?:{wording.pattern})\b" for wording in WORDINGS), re.IGNORECASE)
"""Any of the list: most texts have none."""


def _dated(texts: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"{name}: {found.group(0)!r}: write {wording.write}"
        for name, text in texts
        if ANY.search(text)
        for wording in WORDINGS
        for found in re.finditer(rf"\b(?:{wording.pattern})\b", text, re.IGNORECASE)
    ]


def _texts(path: Path) -> Iterator[str]:
    """Yield the pieces of prose in a file; adjacent texts and comments are one, as a sentence goes over lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    pieces: list[str] = []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type in TEXTS:
            pieces.append(re.sub(r"^[rbfRBF]*[\"']+|[\"']+$|^#", "", token.string).replace("``", "`"))
        elif token.type not in (tokenize.NL, tokenize.NEWLINE):
            yield " ".join(pieces)
            pieces = []
    yield " ".join(pieces)


def _prose(root: Path) -> list[tuple[str, str]]:
    """Return pages and their text in one line each, so that a line end does not hide a wording."""
    names = {page.relative_to(root).as_posix(): page for page in pages(root)}
    return [
        (name, " ".join(without_code(page.read_text(encoding="utf-8")).split()))
        for name, page in names.items()
        if not name.startswith(tuple(f"{folder}/" for folder in EXCLUDED))
    ]
