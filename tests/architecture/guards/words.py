"""Words in capitals: what stands for a value in a message, named after the expression that it comes from."""

from __future__ import annotations

import ast
import re

OPEN, CLOSE = "\ue000", "\ue001"
MAY, END = "\ue002", "\ue003"
"""Around a value, and around a piece that may be missing."""

_OPTIONAL = re.compile(f"{MAY}[^{MAY}{END}]*{END}")
_MARKED = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
NUMBERS = "NMKPQ"
"""Numbers of one message, in their order."""

COUNTED = {
    *("len", "int", "round", "sum", "argmin", "argmax", "nunique", "count", "float"),
    *("count", "damping", "free", "layer", "limit", "line", "n", "number", "rank", "rate", "row", "seed"),
    *("size", "step", "version", "width"),
}
"""Functions, and names of values, that are numbers."""

PLAIN = {
    *("excerpt", "list", "sorted", "tuple", "str", "repr", "dict", "next", "iter", "squeeze"),
    *("iloc", "loc", "flat", "strip", "split", "as_posix", "removesuffix", "removeprefix"),
    *("decode", "partition", "splitlines", "values", "items", "keys", "columns"),
}
"""Functions and attributes that a value keeps its name through."""

RENAMED = {
    "__NAME__": "KIND",
    "DIGEST_OF": "DIGEST",
    "DROPPED": "COUNTS",
    "DUMPS": "VALUE",
    "END": "TEXT",
    "FILENAME": "PATH",
    "FILEPATH": "PATH",
    "FIRST_LINE": "REASON",
    "FOUND": "COLUMNS",
    "GET": "VALUE",
    "HAS": "COLUMNS",
    "HOLDS": "KIND",
    "KNOWN": "NAMES",
    "NAMED": "DATASET",
    "LISTED": "LIST",
    "NEAR": "NAME",
    "RAW": "RECORD",
    "READLINK": "TARGET",
    "RENDERED": "VALUE",
    "SAID": "VALUE",
    "SHOWN": "TEXT",
    "STEM": "NAME",
    "STRERROR": "REASON",
    "WHY": "REASON",
}
"""Words that say more to who reads a message."""

ADJECTIVES = (
    "ABOVE",
    "BOTH",
    "EMPTY",
    "MISSING",
    "ODD",
    "REPEATED",
    "SEEN",
    "SHORT",
    "TWICE",
    "UNKNOWN",
    "UNLABELLED",
    "WANTED",
)
"""Words that take their noun from the text before them."""

NO_NOUNS = ("a", "an", "and", "are", "at", "has", "in", "is", "its", "line", "named", "no", "of", "the", "to")


def mark(word: str, number: str = "") -> str:
    """Return the mark of a value; ``number`` is the expression of one that is a number, and tells numbers apart."""
    return f"{OPEN}{word}:{number}{CLOSE}"


def bare(text: str) -> str:
    """Return a text without the marks of values."""
    return _MARKED.sub("", text)


def has_text(*texts: str) -> bool:
    """Return whether some text has more than values, numbers and quotes."""
    return any(re.search(r"[^\s\d'\"]", bare(text)) for text in texts)


def quoted(text: str) -> str:
    """Return a text as its representation; what is quoted is not a number."""
    return f"'{_MARKED.sub(lambda found: mark(found.group(1).partition(':')[0]), text)}'"


def finished(text: str) -> str:
    """Return a text with words in place of marks: numbers are N, M, ... in their order, others have their own."""
    numbers: dict[str, str] = {}

    def show(found: re.Match[str]) -> str:
        word, _, number = found.group(1).partition(":")
        if number or text[found.end() :].startswith(f" {word.lower()}"):
            return numbers.setdefault(number or word, NUMBERS[len(numbers) % len(NUMBERS)])
        noun = re.search(r"(\w+) '?$", text[: found.start()]) if word.rstrip("S") in ADJECTIVES else None
        if word not in ADJECTIVES:
            return word
        return _singular(noun[1].upper()) if noun and noun[1] not in NO_NOUNS else "NAME"

    return _MARKED.sub(show, text)


def optional(text: str) -> str:
    """Return a text as a piece that may be missing."""
    return f"{MAY}{text}{END}"


def without_optional(text: str) -> str:
    """Return a text without the pieces that may be missing."""
    while (shorter := _OPTIONAL.sub("", text)) != text:
        text = shorter
    return text


def shown(text: str) -> str:
    """Return a text with brackets around the pieces that may be missing."""
    return text.replace(MAY, "[").replace(END, "]")


def marked(node: ast.AST) -> str:
    """Return the mark of the value of an expression."""
    word = _word(node)
    return mark(word, ast.unparse(node)) if word.lower() in COUNTED else mark(word)


def _word(node: ast.AST) -> str:  # noqa: PLR0911, PLR0912 - one case for each kind of expression
    match node:
        case ast.Name(id="error"):
            return "REASON"
        case ast.Name(id=name):
            return _shown(name)
        case ast.Attribute(value=value, attr=name) if name in PLAIN:
            return _word(value)
        case ast.Attribute(attr=name):
            return _shown(name)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return _shown(key)
        case ast.Subscript(value=value, slice=ast.Slice()):
            return _word(value)
        case ast.Subscript(value=value):
            return _singular(_word(value))
        case ast.Call(func=ast.Name(id="min" | "max" | "next"), args=[first, *_]) if _word(first) != "N":
            return _singular(_word(first))
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in PLAIN:
            return _word(first)
        case ast.Call(func=ast.Attribute(attr="join"), args=[first]):
            return _word(first)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]):
            return _shown(key)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in PLAIN or name == "item":
            return _word(value)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return "N" if name in COUNTED else _shown(name)
        case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
            return f"{_word(element)}S"
        case ast.BoolOp(values=[first, *_]) | ast.IfExp(body=first) | ast.List(elts=[ast.Starred(value=first), *_]):
            return _word(first)
        case ast.BinOp(left=left, op=ast.Div()) if not isinstance(left, ast.Constant):
            return _word(left)
        case ast.BinOp():
            return "N"
    return "VALUE"


def _shown(name: str) -> str:
    word = name.upper() if name.startswith("__") else name.strip("_").upper()
    return RENAMED.get(word, word)


def _singular(word: str) -> str:
    return word.removesuffix("S") if word.endswith("S") and not word.endswith("SS") else word
