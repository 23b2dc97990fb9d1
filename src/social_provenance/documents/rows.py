"""Readers of rows: JSON lines (plain, gzip, zstd) and Parquet, as streams.

Nothing is dropped: a line that is not a JSON object is yielded as :class:`Broken`; a file that is truncated
or cannot be decompressed raises :class:`Damage`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst")
PARQUET_SUFFIX = ".parquet"
COMPRESSION = {"gz": "gzip", "zst": "zstd"}
BLOCK = 1 << 20
ROWS = 1000
"""Rows of Parquet in memory at a time."""


class Damage(Exception):
    """A file is truncated or corrupt."""


@dataclass(frozen=True)
class Broken:
    """A line that is not a record.

    Attributes:
        problem: ``not_utf8`` or ``not_json``.
        line: Its raw bytes.
    """

    problem: str
    line: bytes


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
        except decode_error:
            if line.strip():
                yield Broken(_why(line), line)
            continue
        yield row if type(row) is dict else Broken("not_json", line)


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
        for name, *columns in roots:
            if name and columns and not set(columns) & set(has):
                raise CorpusError(
                    f"shard {place} has no column {columns[0]!r} for {name}: it has {', '.join(has)}; name the right "
                    f"one in raw_documents.fields.{name} in the catalog"
                )
        wanted = [name for name in has if any(name in columns for _, *columns in roots)] if roots else has
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
            yield from batch.to_pylist()


def _lines(place: str, options: Mapping[str, Any] | None) -> Iterator[bytes]:
    import pyarrow as pa

    compression = COMPRESSION.get(place.rpartition(".")[2])
    with _damage(place), _opened(place, options) as stream:
        source = pa.CompressedInputStream(stream, compression) if compression else stream
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

    try:
        yield
    except FileNotFoundError as error:
        raise CorpusError(
            f"shard {place} has disappeared: restore it or run again; finished shards are kept"
        ) from error
    except pa.ArrowException as error:
        raise Damage(_first_line(error)) from error
    except OSError as error:
        if error.errno is None:
            raise Damage(_first_line(error)) from error
        raise CorpusError(f"shard {place} cannot be read ({error}): run again; finished shards are kept") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _why(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    return "not_json"
