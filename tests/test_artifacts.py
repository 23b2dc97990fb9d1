"""Parts of an artifact say what they are before they are computed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest

from social_provenance.artifacts import Part

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path) -> None:
    (folder / "x").touch()


def test_a_part_is_computed_when_it_is_written_and_not_before(tmp_path: Path) -> None:
    part = Part("digest", write)
    assert list(tmp_path.iterdir()) == []
    part.write(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_the_identity_of_a_part_stays() -> None:
    part = Part("digest", write)
    with pytest.raises(FrozenInstanceError):
        part.digest = "other"  # type: ignore[misc]
    assert part.digest == "digest"
