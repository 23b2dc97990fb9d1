"""Artifacts that are made when they are saved: in parts, each sealed when it is complete, or as a stream of rows."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from social_provenance.fingerprint import digest_of, digest_of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

SEAL = "done.json"
"""File with the digests of a part's inputs and code, and the checksum of each of its files."""

NODE_RANKS = ("SLURM_NODEID", "GROUP_RANK", "NODE_RANK")


@dataclass(frozen=True)
class Work:
    """Cost of computing a part.

    Attributes:
        documents: Number of documents.
        tokens: Number of tokens that the model processes.
        bytes: Size on disk, in bytes.
    """

    documents: int = 0
    tokens: int = 0
    bytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.documents + other.documents, self.tokens + other.tokens, self.bytes + other.bytes)


@dataclass(frozen=True)
class Parts:
    """Description of an artifact that is not computed yet.

    A node returns one of these. The catalog entry (``PartsFolder``) computes the missing parts when it saves.

    Attributes:
        inputs: Part -> values on which it depends: data, settings, library versions.
        write: Function of the missing parts, each with its empty folder; computes them, together where that
            saves a pass over the data, and yields the name of each as soon as it is complete.
        work: Part -> its cost, where known in advance.
        pace: Function that measures seconds per token in a trial, None if that fails; called only if parts are missing.
        computed_by: Part -> functions and classes whose code computes it, if that is not ``write``: a class
            states which of several its settings chose.
    """

    inputs: Mapping[str, str]
    write: Callable[[Mapping[str, Path]], Iterator[str]]
    work: Mapping[str, Work] = field(default_factory=dict)
    pace: Callable[[], float | None] | None = None
    computed_by: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def roots(self, name: str) -> Sequence[Any]:
        """Return the functions and classes whose code computes a part."""
        if name in self.computed_by:
            return self.computed_by[name]
        return (self.write.writers[name],) if isinstance(self.write, OneByOne) else (self.write,)

    @cached_property
    def code(self) -> dict[str, str]:
        """Part -> digest of the code that computes it."""
        return {name: digest_of_code(*self.roots(name)) for name in self.inputs}

    @property
    def digests(self) -> dict[str, str]:
        """Part -> digest of its inputs and code."""
        return {name: part_digest(inputs, self.code[name]) for name, inputs in self.inputs.items()}


@dataclass(frozen=True)
class Stream:
    """Description of a table that is not made yet, and may be too large for memory.

    A node returns one of these. The catalog entry (``ArrowFile``) makes and writes its rows when it saves.

    Attributes:
        schema: Arrow schema of the rows.
        batches: Function that makes the rows, batch after batch.
    """

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]


def in_batches(pieces: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join and divide rows to tables of ``rows`` rows, wherever an engine has cut them; the last may have fewer."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for piece in pieces:
        held.append(piece)
        while (count := sum(map(len, held))) >= rows:
            last = held[-1]
            keep = len(last) - (count - rows)
            yield pa.Table.from_batches([*held[:-1], last.slice(0, keep)])
            held = [last.slice(keep)] if keep < len(last) else []
    if held:
        yield pa.Table.from_batches(held)


def part_digest(inputs: str, code: str) -> str:
    """Return the digest of a part from those of its inputs and code."""
    return digest_of(inputs, code)


@dataclass(frozen=True)
class OneByOne:
    """The ``write`` of an artifact whose parts are independent.

    Attributes:
        writers: Part -> function that writes it to its folder.
    """

    writers: Mapping[str, Callable[[Path], None]]

    def __call__(self, waiting: Mapping[str, Path]) -> Iterator[str]:
        for name, folder in waiting.items():
            self.writers[name](folder)
            yield name


def join(parts: Mapping[str, Parts]) -> Parts:
    """Join several artifacts to one, with parts named ``<label>.<name>``.

    The parts of one label are written together, before those of the next. The pace is measured on
    the first artifact that has one, because all are of the same kind.

    Args:
        parts: Label, without a dot -> artifact.
    """

    def write(waiting: Mapping[str, Path]) -> Iterator[str]:
        for label, own in parts.items():
            names = {name: waiting[f"{label}.{name}"] for name in own.inputs if f"{label}.{name}" in waiting}
            if names:
                yield from (f"{label}.{name}" for name in own.write(names))

    return Parts(
        {f"{label}.{name}": inputs for label, own in parts.items() for name, inputs in own.inputs.items()},
        write,
        {f"{label}.{name}": work for label, own in parts.items() for name, work in own.work.items()},
        next((own.pace for own in parts.values() if own.pace), None),
        {f"{label}.{name}": own.roots(name) for label, own in parts.items() for name in own.inputs},
    )


def part_name(place: str) -> str:
    """Return a readable and unique folder name for the part of a file."""
    return f"{re.sub(r'[^A-Za-z0-9-]+', '_', place)[-60:]}-{digest_of(place)[:8]}"


def seal(folder: Path, inputs: str, code: str) -> None:
    """Seal a part as complete.

    Args:
        folder: Folder of the part.
        inputs: Digest of its inputs.
        code: Digest of the code that computed it.
    """
    files = {path.relative_to(folder).as_posix(): checksum(path) for path in _files(folder)}
    mark = {"digest": part_digest(inputs, code), "inputs": inputs, "code": code, "files": files}
    (folder / SEAL).write_text(json.dumps(mark, indent=1))


def sealed_digest(folder: Path) -> str | None:
    """Return the digest of a sealed part; None for an incomplete folder, or one whose seal cannot be read."""
    mark = _mark(folder)
    return None if mark is None else str(mark["digest"])


def sealed_origin(folder: Path) -> tuple[str | None, str | None]:
    """Return the digests of inputs and code of a sealed part; None if its seal lacks them."""
    mark = _mark(folder) or {}
    return mark.get("inputs"), mark.get("code")


def sealed_checksum(folder: Path, file: str) -> str | None:
    """Return the checksum that a file of a part had when it was sealed; None if no seal has it."""
    return (sealed_checksums(folder) or {}).get(file)


def sealed_checksums(folder: Path) -> dict[str, str] | None:
    """Return file -> sealed checksum; None for an incomplete folder, or one whose seal cannot be read."""
    mark = _mark(folder)
    return None if mark is None else dict(mark["files"])


def damage(folder: Path) -> str | None:
    """Return the first file of a part that is missing or differs from its sealed checksum; None if all match.

    A seal that cannot be read is such a file.
    """
    files = sealed_checksums(folder)
    if files is None:
        return SEAL
    for name, expected in files.items():
        path = folder / name
        if not path.is_file() or checksum(path) != expected:
            return str(name)
    return None


def _mark(folder: Path) -> dict[str, Any] | None:
    """Return what a seal says; None if there is none, or it is damaged: the part is computed again."""
    try:
        mark = json.loads((folder / SEAL).read_bytes())
    except (OSError, ValueError):
        return None
    known = isinstance(mark, dict) and isinstance(mark.get("digest"), str) and isinstance(mark.get("files"), dict)
    return mark if known else None


def checksum(path: Path) -> str:
    """Return the XXH3 checksum of a file: it detects damage, not tampering, at the speed of the disk."""
    import xxhash

    total = xxhash.xxh3_128()
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            total.update(block)
    return total.hexdigest()


def leads() -> bool:
    """Return whether this is the only node of the computation, or the first of several.

    The others take part in the computation and leave files and records to the first.
    """
    return node() == "0"


def node() -> str:
    """Return the number of this node, from 0, as set by its launcher; "0" without one."""
    return next((os.environ[name] for name in NODE_RANKS if name in os.environ), "0")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEAL)
