"""Parts written for a trial: computed as a study computes them, without a seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from social_provenance.artifacts import Parts


def write_parts(parts: Parts, folder: Path) -> dict[str, Path]:
    """Compute all parts, each in a new folder below one, and return part -> folder."""
    folders = {name: new_folder(folder / name) for name in parts.inputs}
    for _ in parts.write(folders):
        pass
    return folders


def new_folder(folder: Path) -> Path:
    """Make a folder that must not exist yet, and return it."""
    folder.mkdir(parents=True)
    return folder
