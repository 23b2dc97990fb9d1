"""Identity by content: digests of values, files, folders and code.

An artifact "exists" only if it exists *for these inputs*, which names and times cannot establish and
content digests can.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ArtifactError
from social_provenance.source.reach import Code, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import ibis.expr.types as ir

HASH_LIMIT = 4 << 30
"""Bytes above which content is hashed at the speed of the disk (XXH3) instead of with SHA-256."""

STATE, RANDOM = "state.json", "_fingerprint"
"""File beside the rows of a saved ``datasets.Dataset``, and its field that is drawn at random each time."""

_LENGTH = 16

DIGITS, WORDS = 7, 3
"""Hexadecimal digits of a word of an MD5, which must fit the 32-bit integers in which Spark computes it, and words that
are summed."""


def digest_of(*values: Any) -> str:
    """Return a short hexadecimal digest of JSON-like values, independent of the order of mappings.

    Raises:
        TypeError: If a value is neither JSON-like, a path, a NumPy value, nor a Pydantic model.
    """
    text = json.dumps(values, sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def digest_of_path(path: Path) -> str:
    """Return a digest of a file, or of all files under a folder with their relative names.

    Hidden files and Python's bytecode caches are ignored, and so are place and time: a copy has the same digest. What
    a link leads to counts as if it stood there, a folder with all its files.

    Raises:
        ArtifactError: If a link leads nowhere or to a folder that contains it, or a folder cannot be read.
        FileNotFoundError: If there is nothing at ``path``.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    shown = sorted(files_below(path)) if path.is_dir() else [path]
    kind = "xxh3_128" if sum(file.stat().st_size for file in shown) > HASH_LIMIT else "sha256"
    total = hashlib.sha256()
    for file in shown:
        total.update(file.relative_to(path).as_posix().encode() + b"\0" + _content(file, kind) + b"\n")
    return total.hexdigest()[:_LENGTH]


def unordered_sums(md5: ir.StringValue) -> dict[str, Any]:
    """Return sums over the rows of a table that together are the same in any order: ``word_0`` to ``word_2``.

    A row counts by three 28-bit words of its MD5. No engine has to hold more than a number, and every one can compute
    it: DuckDB and Spark share no function that reads a hexadecimal number, so each digit is looked up.

    Args:
        md5: Hexadecimal MD5 of each row.
    """
    return {f"word_{number}": word(md5, number).sum() for number in range(WORDS)}


def word(md5: ir.StringValue, number: int) -> Any:
    """Return a 28-bit word of the MD5 of each row, int64; words are counted from 0."""
    import ibis

    places = range(DIGITS * number, DIGITS * (number + 1))
    digits = [ibis.literal("0123456789abcdef").find(md5.substr(place, 1)) for place in places]
    total: Any = sum(digit * 16 ** (DIGITS - 1 - place) for place, digit in enumerate(digits))
    return total.cast("int32").cast("int64")  # Spark's are int32; Ibis leaves out a cast to what it thinks they are


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder, those of linked folders too; without hidden ones and bytecode caches.

    Raises:
        ArtifactError: If a link leads nowhere or to a folder that contains it, or a folder cannot be read.
    """
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for link in (here / name for name in folders if (here / name).is_symlink()):
            above = (each for each in (here, *here.parents) if each.is_relative_to(folder))
            if any(each.resolve().is_relative_to(link.resolve()) for each in above):
                raise ArtifactError(f"{link} is a link to {os.readlink(link)}, which contains it: remove the link")
        for file in (here / name for name in names if not _hidden(name)):
            if file.is_symlink() and not file.exists():
                raise ArtifactError(
                    f"{file} is a link to {os.readlink(file)}, where nothing is: restore what it leads to, or remove "
                    f"the link"
                )
            if file.is_file():
                yield file


def digest_of_code(*roots: Any, code: Code | None = None) -> str:
    """Return a digest of all definitions of this package that are reachable from some code.

    It changes with any reachable definition, in any module, and with nothing else: not with docstrings,
    comments, annotations, layout, log lines or the text of errors, nor with the module that has a definition.

    Args:
        roots: Functions, classes, objects (their types), or dotted names of modules (all their definitions).
        code: Source of the package; by default this one.
    """
    source = code or Code.own()
    return digest_of_reach(source, frozenset(key for root in roots for key in source.roots_of(root)))


@functools.lru_cache(maxsize=256)
def digest_of_reach(source: Code, roots: frozenset[tuple[str, str]]) -> str:
    """Return a digest of all definitions reachable from roots given as (module, qualified name)."""
    edges = Reach.of(source, sorted(roots)).edges
    labels = {key: digest_of(source.definition(key).text) for key in edges}
    count = 0
    # Colour refinement: a definition is what it says and what its names stand for, not where it is.
    while count != (count := len(set(labels.values()))):
        labels = {key: _label(labels[key], own, labels) for key, own in edges.items()}
    # The prefix keeps a digest a text where it is given as a parameter: 12e4 would be read as a number.
    return f"code-{digest_of(sorted(labels.values()))}"


def _label(own: str, edges: Iterable[tuple[str, Any]], labels: dict[Any, str]) -> str:
    return digest_of(own, sorted([name, labels.get(target, target)] for name, target in edges))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _unreadable(error: OSError) -> None:
    raise ArtifactError(
        f"folder {error.filename} cannot be read ({error.strerror}): change its permissions, or move it"
    )


def _content(file: Path, kind: str) -> bytes:
    import xxhash

    if file.name == STATE and (state := _state(file)) is not None:
        return bytes.fromhex(digest_of(state))
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, xxhash.xxh3_128 if kind != "sha256" else kind).digest()


def _state(file: Path) -> dict[str, Any] | None:
    """Return what a saved ``datasets.Dataset`` says of itself, less its random field; None for another file."""
    try:
        state = json.loads(file.read_bytes())
    except ValueError:
        return None
    known = isinstance(state, dict) and RANDOM in state
    return {name: value for name, value in state.items() if name != RANDOM} if known else None


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "tolist"):  # a number or an array of numpy
        return value.tolist()
    raise TypeError(f"cannot take the digest of a {type(value).__name__}")
