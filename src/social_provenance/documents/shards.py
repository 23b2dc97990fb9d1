"""Raw shards: find them, make sure that they are whole, read their records.

A record is one JSON line or one Parquet row. Reading never drops one silently: a line that cannot
be used becomes a record with a named ``problem``, and more of those than allowed is an error that
names the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import ibis.expr.types as ir

JSON_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst")
PARQUET_SUFFIX = ".parquet"
COMPRESSION = {".gz": "gzip", ".zst": "zstd"}

FIELDS: dict[str, str] = {
    "doc_id": "id",
    "text": "text",
    "url": "metadata.url",
    "source": "source",
    "given_topic": "metadata.weborganizer.topic",
    "given_format": "metadata.weborganizer.format",
    "given_topic_confidence": "metadata.weborganizer.topic_confidence",
    "given_format_confidence": "metadata.weborganizer.format_confidence",
}
"""What a record has, and where Dolma-style shards keep it; dots step into nested fields."""

NUMBERS = ("given_topic_confidence", "given_format_confidence")
REQUIRED = ("doc_id", "text")


@dataclass(frozen=True)
class Shard:
    """One file of the corpus.

    Attributes:
        name: Path below the corpus folder, for messages and lineage.
        path: Where the file is.
        open: Returns the file as a table: one column ``json`` for JSON lines, the file's own
            columns for Parquet.
        fields: Field -> where this shard keeps it (see :data:`FIELDS`).
    """

    name: str
    path: Path
    open: Callable[[], ir.Table]
    fields: Mapping[str, str] = field(default_factory=lambda: FIELDS)

    @property
    def is_json(self) -> bool:
        return self.path.name.endswith(JSON_SUFFIXES)


def find_shards(source: Path) -> list[Path]:
    """Return the shard files at ``source`` (a file or a folder), in the order of their names.

    Raises:
        CorpusError: If there is nothing at ``source``, or no shard in it.
    """
    suffixes = (*JSON_SUFFIXES, PARQUET_SUFFIX)
    if not source.exists():
        raise CorpusError(f"there is no corpus at {source}: give a folder of shards with --params corpus=DIR")
    files = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    shards = [file for file in files if file.name.endswith(suffixes)]
    if not shards:
        raise CorpusError(f"no shard in {source}: files must end in {', '.join(suffixes)}")
    return shards


def check_whole(path: Path) -> None:
    """Decompress a file to its end, or read the footer of a Parquet file.

    DuckDB reads a truncated zstd stream up to the break and reports nothing, so this is looked at
    before.

    Raises:
        CorpusError: If the file is damaged or ends early.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    compression = COMPRESSION.get(path.suffix)
    try:
        if path.suffix == PARQUET_SUFFIX:
            pq.read_metadata(path)
        elif compression:
            if not path.stat().st_size:
                raise OSError("it is empty")
            with pa.input_stream(str(path), compression=compression) as stream:
                while stream.read(1 << 20):
                    pass
    except (OSError, pa.ArrowInvalid) as error:
        raise CorpusError(f"shard {path} is damaged ({error}): fetch it again or take it out of the folder") from error


def read_records(shard: Shard, max_malformed_share: float) -> ir.Table:
    """Return the records of a shard, with their place and, where there is one, their problem.

    Args:
        shard: What to read.
        max_malformed_share: Largest share of unusable records, 0 to 1, that is put aside instead
            of being an error.

    Returns:
        A table with the columns of :data:`FIELDS` and ``shard`` (str), ``row`` (int, from 1, blank
        lines not counted) and ``problem`` (``not_json``, ``no_id``, ``no_text`` or null).

    Raises:
        CorpusError: If the shard is damaged, lacks a field, or has too many unusable records.
    """
    import duckdb

    check_whole(shard.path)
    try:
        records = _number(shard, _fields_of(shard)).cache()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"shard {shard.path} cannot be read ({reason}): write one JSON object a line") from error
    total, bad, first = _problems(records)
    if bad > max_malformed_share * total:
        raise CorpusError(_describe_problem(shard, first, bad, total, max_malformed_share))
    return records


def _fields_of(shard: Shard) -> ir.Table:
    import ibis

    table = shard.open()
    columns: dict[str, Any] = {}
    for name, place in shard.fields.items():
        if shard.is_json:
            value = _from_json(table["json"], place.split("."))
            columns[name] = _json_number(value) if name in NUMBERS else _json_text(value)
        else:
            kind = "float64" if name in NUMBERS else "string"
            found = _from_columns(table, place.split("."))
            if found is None and name in REQUIRED:
                has = ", ".join(table.columns)
                raise CorpusError(f"shard {shard.path} has no column {place!r} for {name}: it has {has}")
            columns[name] = ibis.null(kind) if found is None else found.try_cast(kind)
    unreadable = table["json"].isnull() if shard.is_json else ibis.literal(value=False)
    return table.select(**columns, unreadable=unreadable)


def _from_json(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _json_text(value: Any) -> Any:
    import ibis

    return ibis.coalesce(value.str, value.int.cast("string"))


def _json_number(value: Any) -> Any:
    import ibis

    return ibis.coalesce(value.float, value.int.cast("float64"))


def _from_columns(table: Any, steps: list[str]) -> Any | None:
    if steps[0] not in table.columns:
        return None
    value = table[steps[0]]
    for step in steps[1:]:
        if not value.type().is_struct() or step not in value.type().names:
            return None
        value = value[step]
    return value


def _number(shard: Shard, records: ir.Table) -> ir.Table:
    import ibis

    problem = ibis.cases(
        (records.unreadable, "not_json"),
        (records.doc_id.isnull() | (records.doc_id.strip() == ""), "no_id"),
        (records.text.isnull() | (records.text.strip() == ""), "no_text"),
    )
    row = ibis.row_number().cast("int64") + 1
    return records.mutate(shard=ibis.literal(shard.name), row=row, problem=problem).drop("unreadable")


def _problems(records: Any) -> tuple[int, int, tuple[int, str]]:
    """Return (records, unusable records, (row, problem) of the first unusable one)."""
    bad = records.filter(records.problem.notnull())
    total, count = int(records.count().execute()), int(bad.count().execute())
    if not count:
        return total, 0, (0, "")
    first = bad.order_by("row").limit(1).select("row", "problem").execute().iloc[0]
    return total, count, (int(first["row"]), str(first["problem"]))


_FIXES = {
    "not_json": "is not JSON",
    "no_id": "has no id",
    "no_text": "has no text",
}


def _describe_problem(shard: Shard, first: tuple[int, str], bad: int, total: int, allowed: float) -> str:
    row, problem = first
    quoted = f": {excerpt(_nth_line(shard.path, row))}" if shard.is_json else ""
    others = f" (and {bad - 1} more of {total} records)" if bad > 1 else ""
    return (
        f"shard {shard.path}, row {row} {_FIXES[problem]}{quoted}{others}; mend it, or raise "
        f"documents.max_malformed_share above {allowed} to put such records aside"
    )


def _nth_line(path: Path, row: int) -> str:
    for number, line in enumerate(_lines(path), start=1):
        if number == row:
            return line
    return ""


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file that are not blank."""
    import io

    import pyarrow as pa

    with pa.input_stream(str(path), compression=COMPRESSION.get(path.suffix)) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="\n"):
            if line.strip():
                yield line.rstrip("\n")


def write_shards(folder: Path, rows: list[dict[str, Any]], count: int) -> None:
    """Write rows as ``count`` zstd-compressed JSON-lines files, dealt out in turn."""
    import pyarrow as pa

    for number in range(count):
        with pa.output_stream(str(folder / f"shard-{number:02d}.jsonl.zst"), compression="zstd") as stream:
            for row in rows[number::count]:
                stream.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
