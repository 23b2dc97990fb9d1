"""Paths as written: the name of a folder is never a pattern, whatever characters it has.

Engines that read files by pattern (DuckDB, Spark, fsspec, ``datasets``) also apply it to the folders above, so that
``run[1]`` would be read as ``run1``. Everything that exists under its own name is literal here; a pattern starts at the
first step of a path that has a wildcard and does not exist.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WILD = frozenset("*?[")
WHOLE = frozenset({"*", "**"})
"""Steps of a pattern that cannot be mistaken for part of a folder's name."""

_HADOOP = re.compile(r"([][{}*?\\,])")


def is_wild(place: str) -> bool:
    """Return whether a path has a wildcard, which may also be part of a name."""
    return bool(WILD & set(place))


def literal(path: Path | str) -> str:
    """Return the pattern that matches this path alone, for glob, DuckDB, fsspec and ``datasets``."""
    return glob.escape(str(path))


def hadoop_literal(path: Path | str) -> str:
    """Return the pattern that matches this path alone on Spark, whose patterns have braces and are escaped."""
    return _HADOOP.sub(r"\\\1", str(path))


def split_pattern(place: str, exists: Callable[[str], bool]) -> tuple[str, str]:
    """Split a path into its literal part and the pattern below it, empty if it is literal completely.

    Args:
        place: Path with slashes.
        exists: Whether something has exactly this path.
    """
    if not is_wild(place) or exists(place):
        return place, ""
    steps = place.split("/")
    for number, step in enumerate(steps):
        if is_wild(step) and not exists("/".join(steps[: number + 1])):
            above = "/".join(steps[:number])
            return above or ("/" if place.startswith("/") else ""), "/".join(steps[number:])
    return place, ""


def split_local(place: Path | str) -> tuple[Path, str]:
    """Split a path on this machine as :func:`split_pattern` does."""
    above, pattern = split_pattern(Path(place).as_posix(), lambda path: Path(path).exists())
    return Path(above), pattern


def split_table(place: Path | str) -> tuple[Path, list[str]]:
    """Split a path to table files into its literal part and the steps of a pattern below it, none if it is literal.

    Wildcards are read in the file's name, and as steps that are only ``*`` or ``**``. A folder that does not exist yet
    is literal like any other: ``run[1]/t.parquet`` never means ``run1/t.parquet``, nor a file in the folder above.
    """
    above, pattern = split_local(place)
    if not pattern:
        return above, []
    *folders, file = pattern.split("/")
    named = next((number for number, step in enumerate(folders) if step in WHOLE), len(folders))
    above = above.joinpath(*folders[:named])
    return (above, [*folders[named:], file]) if named < len(folders) or is_wild(file) else (above / file, [])


def table_pattern(place: Path | str, escape: Callable[[str], str] = literal) -> str:
    """Return a path to table files with everything made literal that :func:`split_table` takes for that."""
    above, pattern = split_table(place)
    if not pattern:
        return escape(str(above))
    *folders, file = pattern
    steps = [step if step in WHOLE else escape(step) for step in folders]
    return "/".join([escape(str(above)).rstrip("/"), *steps, file])
