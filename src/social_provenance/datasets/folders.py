"""Folders that are whole or not there: written beside, then renamed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


DRAFT = ".part"
"""Ending of a folder that is being written; whatever it holds is not finished."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``target`` when the block ends without error.

    A run that dies inside the block leaves ``target`` as it was; its half-written folder is cleared
    by the next run.
    """
    draft = target.with_name(target.name + DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    if target.exists():
        shutil.rmtree(target)
    draft.rename(target)
