"""Shards of a corpus: location, version and rows.

A shard is one file of JSON lines or Parquet, on disk or in an object store, or one part of a dataset on
the hub. It can be pickled, so that another process can read it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.documents.fields import FIELDS, Place
from social_provenance.documents.rows import JSON_SUFFIXES, PARQUET_SUFFIX, json_rows, parquet_rows
from social_provenance.errors import CorpusError
from social_provenance.fingerprint import HASH_LIMIT, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SUFFIXES = (*JSON_SUFFIXES, PARQUET_SUFFIX)
WILD = frozenset("*?[")


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
    source: str, fields: Mapping[str, Place] = FIELDS, options: Mapping[str, Any] | None = None
) -> list[Shard]:
    """Return the shards at ``source``, in the order of their names.

    Args:
        source: A file, a folder or a glob; a path or a URL that fsspec knows (``s3://...``).
        fields: Field -> its place in a row.
        options: Options of the fsspec file system: credentials, endpoints.

    Raises:
        CorpusError: If ``source`` does not exist, or has no shard.
    """
    remote = "://" in source
    root, files = _remote_files(source, dict(options or {})) if remote else _local_files(Path(source))
    found = {place: file for place, file in files.items() if place.endswith(SUFFIXES)}
    if not found:
        raise CorpusError(f"no shard in {source}: files must end in {', '.join(SUFFIXES)}")
    base = _base(root)
    versions = _stamps(found) if remote or sum(file.size for file in found.values()) > HASH_LIMIT else _hashes(found)
    return [
        Shard(
            place.removeprefix(base) if place != base else place.rpartition("/")[2],
            f"{file.scheme}{place}",
            versions[place],
            partial(read_file, f"{file.scheme}{place}", dict(options or {}), tuple(_roots(fields))),
            fields,
            file.size,
        )
        for place, file in sorted(found.items())
    ]


def read_file(place: str, options: Mapping[str, Any], roots: tuple[tuple[str, ...], ...]) -> Iterator[Any]:
    """Yield the rows of a file; ``roots`` are the Parquet columns to read."""
    if place.endswith(PARQUET_SUFFIX):
        return parquet_rows(place, options, roots)
    return json_rows(place, options)


@dataclass(frozen=True)
class _File:
    size: int
    stamp: str
    scheme: str = ""


def _local_files(source: Path) -> tuple[str, dict[str, _File]]:
    """Return the base folder, and path -> file; a glob may have ``**``."""
    if is_wild(str(source)):
        anchor = Path(source.anchor) if source.is_absolute() else Path()
        paths = list(anchor.glob(str(source.relative_to(anchor))))
        if not paths:
            raise CorpusError(f"no file matches {source}: fix the pattern, or give a folder of shards")
    elif not source.exists():
        raise CorpusError(f"there is no corpus at {source}: give a folder of shards with --params corpus=DIR")
    else:
        paths = [source] if source.is_file() else list(source.rglob("*"))
    files = {path.as_posix(): path.stat() for path in paths if path.is_file()}
    found = {place: _File(stat.st_size, f"{stat.st_size}:{stat.st_mtime_ns}") for place, stat in files.items()}
    return source.as_posix(), found


def _remote_files(source: str, options: dict[str, Any]) -> tuple[str, dict[str, _File]]:
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(source, **options)
        places = system.glob(root) if is_wild(root) else system.find(root)
        sizes = {place: int(system.info(place).get("size") or 0) for place in places if not system.isdir(place)}
    except (OSError, ImportError, ValueError) as error:
        raise CorpusError(
            f"the corpus at {source} cannot be listed ({type(error).__name__}: {error}): check the address "
            f"and storage_options of raw_documents; a store may need an extra package (s3fs, gcsfs, ...)"
        ) from error
    scheme = source.partition("://")[0] + "://"
    return root, {
        place: _File(size, str(system.ukey(place)), "" if place.startswith(scheme) else scheme)
        for place, size in sizes.items()
    }


def _stamps(files: Mapping[str, _File]) -> dict[str, str]:
    return {place: digest_of(file.stamp) for place, file in files.items()}


def _hashes(files: Mapping[str, _File]) -> dict[str, str]:
    from social_provenance.artifacts import checksum

    return {place: checksum(Path(place)) for place in files}


def _base(root: str) -> str:
    """Return the prefix of paths that is not part of the names of shards."""
    steps = root.split("/")
    wild = next((number for number, step in enumerate(steps) if is_wild(step)), None)
    fixed = "/".join(steps if wild is None else steps[:wild]).rstrip("/")
    return fixed if fixed.endswith(SUFFIXES) else f"{fixed}/" if fixed else ""


def is_wild(place: str) -> bool:
    """Return whether a path is a glob pattern."""
    return bool(WILD & set(place))


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
