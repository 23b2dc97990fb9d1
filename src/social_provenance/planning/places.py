"""The folders that a study writes to, and whether their disks have room."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import GIGABYTE
from social_provenance.errors import SettingsError
from social_provenance.planning.refusals import refuse_full_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def bytes_of_limit(connection: Mapping[str, Any]) -> int | None:
    """Return the bytes of the engine's memory; None where its settings name no limit.

    Raises:
        SettingsError: If the limit is no size.
    """
    limit = connection.get("memory_limit")
    if limit is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", str(limit), re.IGNORECASE)
    if match is None:
        raise SettingsError(f"connection.memory_limit is {limit!r}: give a size such as 2GB")
    return round(float(match[1]) * UNITS[match[2].upper()])


def places_to_check(stages: Sequence[Mapping[str, Any]], places: Mapping[str, Any]) -> list[Callable[[], None]]:
    """Return the checks of room on disk: of the data folder for all stages, of the spill folder for the largest.

    Both are one check where they are on one disk.

    Args:
        stages: Rows of the plan.
        places: ``root``, the data folder, and ``connection``, settings of the engine.
    """
    root = Path(places["root"])
    needed = round(sum(row["disk_gigabytes"] for row in stages) * GIGABYTE)
    spilled = round(max((row["spill_gigabytes"] for row in stages), default=0) * GIGABYTE)
    spill = Path(places["connection"].get("temp_directory") or root)
    if _device(spill) == _device(root):
        return [partial(refuse_full_disk, root, needed + spilled, "the study and its spill", "--params root=DIR")]
    return [
        partial(refuse_full_disk, root, needed, "the study", "--params root=DIR"),
        partial(refuse_full_disk, spill, spilled, "the engine's spill", "connection.temp_directory"),
    ]


def _device(folder: Path) -> int:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists()).stat().st_dev
