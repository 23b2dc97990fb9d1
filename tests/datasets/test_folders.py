"""Folders are whole or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.datasets.folders import DRAFT, replacing

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_what_was_written_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    for name in ("old", "new"):
        with replacing(target) as draft:
            (draft / name).write_text(name)
    assert contents(target) == {"new": "new"}
    assert list(target.parent.iterdir()) == [target]


def test_the_target_is_not_touched_before_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with replacing(target) as draft:
        (draft / "x").write_text("1")
        assert not target.exists()
    assert target.exists()


def die(target: Path, death: type[BaseException]) -> None:
    with replacing(target) as draft:
        (draft / "half").write_text("half")
        raise death


@pytest.mark.parametrize("death", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_dies_leaves_the_target_as_it_was(tmp_path: Path, death: type[BaseException]) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "x").write_text("old")
    with pytest.raises(death):
        die(target, death)
    assert contents(target) == {"x": "old"}


def test_a_draft_left_behind_is_cleared_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with pytest.raises(KeyboardInterrupt):
        die(target, KeyboardInterrupt)
    assert contents(tmp_path / f"target{DRAFT}") == {"half": "half"}
    with replacing(target) as draft:
        assert contents(draft) == {}
        (draft / "whole").write_text("")
    assert contents(target) == {"whole": ""}
