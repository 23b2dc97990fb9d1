"""Atomic replacement of folders: written to a draft beside the target, then renamed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


DRAFT = ".part"
"""Suffix of a folder that is being written: its content is incomplete."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces ``target`` when the block ends without error.

    A run that is killed inside the block leaves ``target`` unchanged; the next run clears its partially
    written folder.
    """
    draft = target.with_name(target.name + DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    # A folder cannot be renamed over one that is not empty; a kill in between leaves the target missing, not mixed.
    if target.exists():
        shutil.rmtree(target)
    draft.rename(target)
