"""Identity by content: a digest for a value, a file or a folder.

An artifact "exists" when it exists *for these inputs*: names and times say nothing about that,
contents do.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

HASH_LIMIT = 1 << 30
"""Files above this size (bytes) are told apart by size and modification time, not by content."""

_LENGTH = 16


def digest_of(*values: Any) -> str:
    """Return a short hexadecimal digest of JSON-like values; mappings compare without order.

    Raises:
        TypeError: If a value is neither JSON-like, a path, nor a Pydantic model.
    """
    text = json.dumps(values, sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def digest_of_path(path: Path) -> str:
    """Return a digest of a file, or of all files under a folder with their relative names.

    Hidden files do not count.

    Raises:
        FileNotFoundError: If there is nothing at ``path``.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        name = file.relative_to(path).as_posix() if file != path else ""
        if any(part.startswith(".") for part in name.split("/")):
            continue
        total.update(name.encode() + b"\0" + _file_digest(file) + b"\n")
    return total.hexdigest()[:_LENGTH]


def _file_digest(file: Path) -> bytes:
    stat = file.stat()
    if stat.st_size > HASH_LIMIT:
        return f"{stat.st_size}:{stat.st_mtime_ns}".encode()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"cannot take the digest of a {type(value).__name__}")
