"""Shards of a corpus: location, version and rows.

A shard is one file of JSON lines or Parquet, on disk or in an object store, or one part of a dataset on
the hub. It can be pickled, so that another process can read it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.documents.fields import FIELDS, Place
from social_provenance.documents.files import list_local, list_remote
from social_provenance.documents.rows import JSON_SUFFIXES, PARQUET_SUFFIX, json_rows, parquet_rows
from social_provenance.errors import CorpusError
from social_provenance.fingerprint import HASH_LIMIT, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from social_provenance.documents.files import File

SUFFIXES = (*JSON_SUFFIXES, PARQUET_SUFFIX)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """One piece of a corpus.

    Attributes:
        name: Path relative to the corpus, used in tables.
        place: Full path or URL, for messages.
        version: Text that changes when the content does.
        rows: Function that yields the rows, each a mapping or a :class:`~social_provenance.documents.rows.Broken`.
        fields: Field -> its place in a row.
        size: Stored size in bytes; 0 if unknown.
    """

    name: str
    place: str
    version: str
    rows: Callable[[], Iterator[Any]]
    fields: Mapping[str, Place] = field(default_factory=lambda: FIELDS)
    size: int = 0


def find_shards(
    source: str,
    fields: Mapping[str, Place] = FIELDS,
    options: Mapping[str, Any] | None = None,
    *,
    announce: bool = False,
) -> list[Shard]:
    """Return the shards at ``source``, in the order of their names.

    Args:
        source: A file, a folder or a glob; a path or a URL that fsspec knows (``s3://...``). What exists under exactly
            this name is literal, whatever wildcards the name has.
        fields: Field -> its place in a row.
        options: Options of the fsspec file system: credentials, endpoints.
        announce: Whether to log what is passed over.

    Raises:
        CorpusError: If ``source`` does not exist, or has no shard.
    """
    path = source.removeprefix("file://")
    remote = "://" in path
    every = list_remote(source, dict(options or {})) if remote else list_local(Path(path))
    listing = every.keep(SUFFIXES)
    if announce and (others := listing.describe_passed_over()):
        logger.info("corpus %s: %s", source, others)
    if not listing.files:
        raise CorpusError(f"no shard in {source}: give files that end in {', '.join(SUFFIXES)}")
    size = sum(file.size for file in listing.files.values())
    versions = _stamps(listing.files) if remote or size > HASH_LIMIT else _hashes(listing.files)
    return [
        Shard(
            listing.name(place),
            f"{file.scheme}{place}",
            versions[place],
            partial(read_file, f"{file.scheme}{place}", dict(options or {}), tuple(_roots(fields))),
            fields,
            file.size,
        )
        for place, file in sorted(listing.files.items())
    ]


def read_file(place: str, options: Mapping[str, Any], roots: tuple[tuple[str, ...], ...]) -> Iterator[Any]:
    """Yield the rows of a file; ``roots`` are the Parquet columns to read."""
    if place.endswith(PARQUET_SUFFIX):
        return parquet_rows(place, options, roots)
    return json_rows(place, options)


def _stamps(files: Mapping[str, File]) -> dict[str, str]:
    return {place: digest_of(file.stamp) for place, file in files.items()}


def _hashes(files: Mapping[str, File]) -> dict[str, str]:
    from social_provenance.artifacts import checksum

    return {place: checksum(Path(place)) for place in files}


def _roots(fields: Mapping[str, Place]) -> Iterator[tuple[str, ...]]:
    from social_provenance.documents.fields import REQUIRED, roots

    for name in fields:
        yield (name if name in REQUIRED else "", *roots(fields[name]))


def write_shards(folder: Path, rows: list[dict[str, Any]], count: int) -> None:
    """Write rows round-robin to ``count`` zstd-compressed JSON-lines files."""
    import pyarrow as pa

    for number in range(count):
        with pa.output_stream(str(folder / f"shard-{number:02d}.jsonl.zst"), compression="zstd") as stream:
            for row in rows[number::count]:
                stream.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
