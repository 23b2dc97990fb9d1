"""Files of a corpus: those of a folder, of a pattern or of an object store, and what is passed over.

Links to folders are followed, each folder once; a link that leads nowhere is an error, because what it stands for would
be missing without a word.
"""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError
from social_provenance.paths import literal, split_local, split_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = 5
"""Names listed of what is passed over."""


@dataclass(frozen=True)
class File:
    """A file of a corpus.

    Attributes:
        size: Bytes.
        stamp: Text that changes when the file is written again.
        scheme: Prefix of its address; empty for a path.
    """

    size: int
    stamp: str
    scheme: str = ""


@dataclass
class Listing:
    """Files of a corpus.

    Attributes:
        base: Prefix of their paths that is not part of their names.
        files: Path -> file.
        passed_over: Path -> reason, of everything in the corpus that is not read.
    """

    base: str
    files: dict[str, File]
    passed_over: dict[str, str] = field(default_factory=dict)

    def keep(self, suffixes: tuple[str, ...]) -> Listing:
        """Return the listing of files with one of these suffixes; the others are passed over."""
        others = {place: "no shard by its name" for place in self.files if not place.endswith(suffixes)}
        kept = {place: file for place, file in self.files.items() if place not in others}
        return Listing(self.base, kept, self.passed_over | others)

    def describe_passed_over(self) -> str:
        """Count and name what is passed over, on one line; empty if nothing is."""
        if not self.passed_over:
            return ""
        shown = [f"{self.name(place)} ({why})" for place, why in sorted(self.passed_over.items())[:SHOWN]]
        more = len(self.passed_over) - len(shown)
        return f"{len(self.passed_over)} passed over: {', '.join(shown)}{f' and {more} more' if more else ''}"

    def name(self, place: str) -> str:
        """Return the path relative to the corpus."""
        return place.removeprefix(self.base) if place != self.base else place.rpartition("/")[2]


def list_local(source: Path) -> Listing:
    """List a file, a folder or a pattern, which may have ``**``, on this machine.

    Raises:
        CorpusError: If nothing is there, a link leads nowhere, or a folder cannot be read.
    """
    above, pattern = split_local(source)
    if pattern:
        try:
            walk = _Walk(above, pattern)
        except ValueError as error:
            raise CorpusError(f"the pattern {source} cannot be read ({error}): fix it") from error
        found = walk.files() if above.is_dir() else {}
        if not found:
            raise CorpusError(f"no file matches {source}: fix the pattern, or give a folder of shards")
        return Listing(_prefix(above.as_posix()), found, walk.passed_over)
    if source.is_symlink() and not source.exists():
        raise CorpusError(_nowhere(source))
    if not source.exists():
        raise CorpusError(f"there is no corpus at {source}: give a folder of shards with --params corpus=DIR")
    if source.is_file():
        return Listing(source.as_posix(), {source.as_posix(): _file(source)})
    if not source.is_dir():
        raise CorpusError(f"{source} is neither a folder nor a file: give a folder of shards with --params corpus=DIR")
    walk = _Walk(source)
    return Listing(_prefix(source.as_posix()), walk.files(), walk.passed_over)


def list_remote(source: str, options: Mapping[str, Any]) -> Listing:
    """List an address that fsspec knows.

    Raises:
        CorpusError: If it cannot be listed.
    """
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(source, **options)
        above, pattern = split_pattern(root, system.exists)
        places = system.glob(f"{literal(above).rstrip('/')}/{pattern}") if pattern else system.find(root)
        if not places and not pattern:
            system.info(root)  # finding nothing is no error, whether or not the store is there
        sizes = {place: int(system.info(place).get("size") or 0) for place in places if not system.isdir(place)}
    except Exception as error:  # each store has errors of its own
        raise CorpusError(
            f"the corpus at {source} cannot be listed ({type(error).__name__}: {error}): check the address "
            f"and storage_options of raw_documents; a store may need an extra package (s3fs, gcsfs, ...)"
        ) from error
    scheme = source.partition("://")[0] + "://"
    base = root if not pattern and list(places) == [root] else _prefix(above)
    return Listing(
        base,
        {
            place: File(size, str(system.ukey(place)), "" if place.startswith(scheme) else scheme)
            for place, size in sizes.items()
        },
    )


class _Walk:
    """Walk of a folder: its own folders first, then those that links lead to, in the order of their names."""

    def __init__(self, folder: Path, pattern: str = "") -> None:
        from fsspec.utils import glob_translate

        self.folder, self.passed_over = folder, dict[str, str]()
        self._wanted = re.compile(glob_translate(pattern)) if pattern else None
        self._depth = len(pattern.split("/")) if pattern and "**" not in pattern else None
        self._visited: dict[str, Path] = {}
        self._links: deque[Path] = deque()

    def files(self) -> dict[str, File]:
        """Return path -> file.

        Raises:
            CorpusError: If a link leads nowhere, or a folder cannot be read.
        """
        found = dict(self._tree(self.folder))
        while self._links:
            link = self._links.popleft()
            target = os.path.realpath(link)
            if not self._again(link, followed=True) and Path(os.path.realpath(self.folder)).is_relative_to(target):
                self.passed_over[link.as_posix()] = f"a link to {target}, which contains it"
            elif target not in self._visited:
                found |= self._tree(link)
        return found

    def _again(self, folder: Path, *, followed: bool = False) -> bool:
        """Note and return whether a folder was walked already; a link to it has its own turn."""
        if folder.is_symlink() and not followed:
            return False
        before = self._visited.get(os.path.realpath(folder))
        if before is not None:
            self.passed_over[folder.as_posix()] = f"the same folder as {before}"
        return before is not None

    def _tree(self, top: Path) -> dict[str, File]:
        found: dict[str, File] = {}
        for place, folders, names in os.walk(top, onerror=_unreadable):
            here = Path(place)
            self._visited[os.path.realpath(here)] = here
            folders[:] = sorted(name for name in folders if not self._again(here / name))
            if self._depth is not None and len(here.relative_to(self.folder).parts) + 1 >= self._depth:
                folders.clear()
            self._links.extend(here / name for name in folders if (here / name).is_symlink())
            for path in (here / name for name in sorted(names)):
                if self._wanted is None or self._wanted.match(path.relative_to(self.folder).as_posix()):
                    found |= self._look(path)
        return found

    def _look(self, path: Path) -> dict[str, File]:
        """Return path -> file; empty if it is passed over."""
        try:
            path.as_posix().encode()
        except UnicodeEncodeError as error:
            raise CorpusError(f"the name of {path.as_posix()!r} is not UTF-8: rename it") from error
        if path.is_file():
            return {path.as_posix(): _file(path)}
        if path.is_symlink() and not path.exists() and not path.name.startswith("."):
            raise CorpusError(_nowhere(path))
        # Editors keep locks as hidden links that lead nowhere by design.
        kind = "a hidden link that leads nowhere" if path.is_symlink() else "neither a file nor a folder"
        self.passed_over[path.as_posix()] = kind
        return {}


def _file(path: Path) -> File:
    found = path.stat()
    return File(found.st_size, f"{found.st_size}:{found.st_mtime_ns}")


def _nowhere(link: Path) -> str:
    return f"{link} is a link to {os.readlink(link)}, where nothing is: restore what it leads to, or remove the link"


def _unreadable(error: OSError) -> None:
    raise CorpusError(f"folder {error.filename} cannot be read ({error.strerror}): change its permissions, or move it")


def _prefix(folder: str) -> str:
    """Return the prefix of paths in a folder that is not part of their names."""
    return "" if folder in {"", "."} else f"{folder.rstrip('/')}/"
