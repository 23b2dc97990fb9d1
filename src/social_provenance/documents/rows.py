"""Readers of rows: JSON lines (plain, gzip, zstd) and Parquet, as streams.

Nothing is dropped: a line that is not a JSON object is yielded as :class:`Broken`; a file that is truncated
or cannot be decompressed raises :class:`Damage`.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError, excerpt, repeated
from social_provenance.json_text import BYTE_ORDER_MARKS, distinct, explain_fault, quotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst")
PARQUET_SUFFIX = ".parquet"
COMPRESSION = {"gz": "gzip", "zst": "zstd"}
BLOCK = 1 << 20
AROUND = 30
"""Characters of a line that are shown before its fault, and about as many after it."""
ROWS = 1000
"""Rows of Parquet in memory at a time."""


BLANK = b" \t\r\n"
"""What JSON takes for blanks; Python takes more."""


class Damage(Exception):
    """A file is truncated or corrupt."""


@dataclass(frozen=True)
class Broken:
    """A line that is not a record.

    Attributes:
        problem: ``not_utf8``, ``not_json``, or ``unreadable_field`` in a file with columns.
        line: Its raw bytes.
        why: The cause, with its column.
        column: Where in the line the cause is, from 1; 0 if unknown.
    """

    problem: str
    line: bytes
    why: str = field(default="", compare=False)
    column: int = field(default=0, compare=False)

    def describe(self) -> str:
        """Return the cause and the part of the line around it."""
        text = self.line.decode(errors="replace").rstrip("\r\n")
        start = max(0, self.column - AROUND) if len(text) > 2 * AROUND else 0
        shown = excerpt(f"{'…' if start else ''}{text[start:]}", 2 * AROUND)
        return f"{f' ({self.why})' if self.why else ''}{f': {shown}' if text else ''}"


def json_rows(place: str, options: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Yield the objects of a file of JSON lines; blank lines are skipped.

    Raises:
        Damage: If the file is truncated or cannot be decompressed.
        CorpusError: If it cannot be reached.
    """
    import orjson

    loads, decode_error = orjson.loads, orjson.JSONDecodeError
    for line in _lines(place, options):
        try:
            row = loads(line)
        except decode_error as error:
            if line.strip(BLANK):
                yield _broken(line, error)
            continue
        if type(row) is not dict:
            yield Broken("not_json", line, f"it is {_KINDS[type(row)]}")
        elif line.count(b'"') != quotes(row) and (why := _repeated(line)):
            yield Broken("not_json", line, why)
        else:
            yield row


def parquet_rows(
    place: str, options: Mapping[str, Any] | None = None, roots: tuple[tuple[str, ...], ...] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file.

    Args:
        place: Path or URL.
        options: Options of the fsspec file system.
        roots: For each field its name, empty if the field is optional, and the columns that may contain it;
            other columns are not read. Empty: all columns.

    Raises:
        Damage: If the file is damaged.
        CorpusError: If a column is missing, or it cannot be reached.
    """
    import pyarrow.parquet as pq

    with _damage(place), _opened(place, options) as stream:
        file = pq.ParquetFile(stream)
        has = file.schema_arrow.names
        refuse_repeated_columns(place, file.schema_arrow)
        for name, *columns in roots:
            if name and columns and not set(columns) & set(has):
                known = " ".join(", ".join(has).split())  # on one line
                raise CorpusError(
                    f"shard {place} has no column {columns[0]!r} for {name}: it has {known}; name the right one in "
                    f"raw_documents.fields.{name} in the catalog"
                )
        wanted = [name for name in has if any(name in columns for _, *columns in roots)] if roots else has
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
            yield from _as_rows(batch)


def refuse_repeated_columns(place: str, columns: Any) -> None:
    """Raise if two columns, or two fields of one column, have the same name.

    Raises:
        CorpusError: With the name.
    """
    import pyarrow as pa

    names = [column.name for column in columns]
    if twice := repeated(names):
        name = min(twice)
        raise CorpusError(
            f"shard {place} has {names.count(name)} columns {name!r}: only one can be read, rename or drop the others"
        )
    for column in columns:
        if pa.types.is_struct(column.type):
            refuse_repeated_columns(f"{place}, column {column.name!r},", column.type)


def _as_rows(batch: Any) -> Iterator[Any]:
    """Yield the rows of a batch as JSON has them: mappings for maps and structures."""
    try:
        rows = batch.to_pylist(maps_as_pydicts="strict")
    except (ArithmeticError, LookupError, ValueError) as error:
        if batch.num_rows == 1:  # a text that is not UTF-8, a map with a key twice, a date before the year 1
            problem = "not_utf8" if isinstance(error, UnicodeDecodeError) else "unreadable_field"
            rows = [Broken(problem, b"", _first_line(error))]
        else:
            for start in range(batch.num_rows):
                yield from _as_rows(batch.slice(start, 1))
            return
    yield from rows


def _lines(place: str, options: Mapping[str, Any] | None) -> Iterator[bytes]:
    compression = COMPRESSION.get(place.rpartition(".")[2])
    with _damage(place), _opened(place, options) as stream:
        source = _decompressed(stream, compression)
        rest: list[bytes] = []
        while block := source.read(BLOCK):
            first, *lines = block.split(b"\n")
            rest.append(first)
            if lines:
                yield b"".join(rest)
                rest = [lines.pop()]
                yield from lines
        if compression and not stream.tell():
            raise Damage("it is empty")
        if rest:
            yield b"".join(rest)


def _decompressed(stream: Any, compression: str | None) -> Any:
    import pyarrow as pa
    from backports import zstd

    if compression == "zstd":
        # The largest window that zstd writes (--long=31); the decoder takes memory only for what a file's own needs.
        return zstd.open(stream, "rb", options={zstd.DecompressionParameter.window_log_max: 31})
    return pa.CompressedInputStream(stream, compression) if compression else stream


@contextmanager
def _opened(place: str, options: Mapping[str, Any] | None) -> Iterator[Any]:
    import pyarrow as pa

    if "://" not in place:
        with pa.OSFile(place) as stream:
            yield stream
        return
    import fsspec

    with fsspec.open(place, "rb", **dict(options or {})) as file, pa.PythonFile(file, mode="r") as stream:
        yield stream


@contextmanager
def _damage(place: str) -> Iterator[None]:
    """Distinguish a damaged file from one that cannot be reached: only errors of the system have a number."""
    import pyarrow as pa
    from backports.zstd import ZstdError

    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(
            f"shard {place} has disappeared: restore it or run again; finished shards are kept"
        ) from error
    except (pa.ArrowException, ZstdError, EOFError, UnicodeDecodeError) as error:  # the last in the names of columns
        raise Damage(_first_line(error)) from error
    except OSError as error:
        if error.errno is None:
            raise Damage(_first_line(error)) from error
        raise CorpusError(f"shard {place} cannot be read ({error}): run again; finished shards are kept") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a truth value", type(None): "null"}


def _repeated(line: bytes) -> str:
    """Return what is wrong with a line of JSON in which one key is given twice; empty if none is."""
    try:
        json.loads(line, object_pairs_hook=distinct)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply to be read"
    return ""


def _broken(line: bytes, error: Any) -> Broken:
    """Return a line that is not JSON, with the cause."""
    if line.startswith(BYTE_ORDER_MARKS):
        utf8 = line.startswith(BOM_UTF8)
        kind = "a byte-order mark" if utf8 else "the byte-order mark of UTF-16 or UTF-32"
        why = f"it starts with {kind}: save the file as UTF-8 without one"
        return Broken("not_json" if utf8 else "not_utf8", line, why)
    try:
        text = line.decode()
    except UnicodeDecodeError as fault:
        return Broken("not_utf8", line, f"byte {fault.start + 1}", len(line[: fault.start].decode()))
    return Broken("not_json", line, *explain_fault(text, error))
