"""Parts of a trial: all of them, each in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.artifacts import Parts
from social_provenance.planning.parts import write_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def _write(waiting: Mapping[str, Path]) -> Iterator[str]:
    for name, folder in waiting.items():
        (folder / "content").write_text(name)
        yield name


def test_every_part_is_computed_in_its_folder_and_never_over_another(tmp_path: Path) -> None:
    parts = Parts({"one": "1", "two": "2"}, _write)
    folders = write_parts(parts, tmp_path / "trial")
    assert {name: (folder / "content").read_text() for name, folder in folders.items()} == {"one": "one", "two": "two"}
    with pytest.raises(FileExistsError):
        write_parts(parts, tmp_path / "trial")
