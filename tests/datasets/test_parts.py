"""Artifacts in parts: each computed once for its inputs, and finished or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.artifacts import Part
from social_provenance.datasets import PartsFolder
from social_provenance.datasets.folders import DRAFT
from social_provenance.datasets.parts import DONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Writer:
    """Writes parts and remembers which."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def part(self, name: str, digest: str = "1", content: str = "") -> Part:
        def write(folder: Path) -> None:
            self.written.append(name)
            (folder / "content").write_text(content or f"{name} {digest}")

        return Part(digest, write)


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def folder(tmp_path: Path) -> PartsFolder:
    return PartsFolder(path=str(tmp_path / "parts"))


def contents(folder: PartsFolder) -> dict[str, str]:
    return {name: (path / "content").read_text() for name, path in folder.load().items()}


def dies(after: Callable[[Path], object] = lambda folder: (folder / "content").write_text("half")) -> Part:
    """Return a part whose computation is killed."""

    def write(folder: Path) -> None:
        after(folder)
        raise KeyboardInterrupt

    return Part("1", write)


def test_parts_are_loaded_by_name(folder: PartsFolder, writer: Writer) -> None:
    folder.save({"b": writer.part("b"), "a": writer.part("a")})
    assert contents(folder) == {"a": "a 1", "b": "b 1"}
    assert list(folder.load()) == ["a", "b"]


def test_nothing_is_there_before_the_first_save(folder: PartsFolder) -> None:
    assert not folder.exists()
    assert folder.load() == {}


def test_a_part_that_is_done_is_not_computed_again(folder: PartsFolder, writer: Writer) -> None:
    parts = {"a": writer.part("a"), "b": writer.part("b")}
    folder.save(parts)
    folder.save(parts)
    assert writer.written == ["a", "b"]
    assert folder.exists()


def test_only_parts_of_another_digest_are_computed_again(folder: PartsFolder, writer: Writer) -> None:
    folder.save({"a": writer.part("a"), "b": writer.part("b")})
    folder.save({"a": writer.part("a"), "b": writer.part("b", digest="2")})
    assert writer.written == ["a", "b", "b"]
    assert contents(folder) == {"a": "a 1", "b": "b 2"}


def test_parts_no_longer_asked_for_are_removed(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    folder.save({"a": writer.part("a"), "b": writer.part("b")})
    folder.save({"b": writer.part("b"), "c": writer.part("c")})
    assert contents(folder) == {"b": "b 1", "c": "c 1"}
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["b", "c"]


def test_a_killed_run_leaves_what_was_done_and_goes_on_there(folder: PartsFolder, writer: Writer) -> None:
    with pytest.raises(KeyboardInterrupt):
        folder.save({"a": writer.part("a"), "b": dies(), "c": writer.part("c")})
    assert contents(folder) == {"a": "a 1"}
    folder.save({name: writer.part(name) for name in "abc"})
    assert writer.written == ["a", "b", "c"]
    assert contents(folder) == {"a": "a 1", "b": "b 1", "c": "c 1"}


def test_a_part_killed_at_its_last_breath_is_not_done(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    """Between the mark and the renaming a draft looks finished; it is not."""
    with pytest.raises(KeyboardInterrupt):
        folder.save({"a": dies(after=lambda draft: (draft / DONE).write_text('{"digest": "1"}'))})
    assert (tmp_path / "parts" / f"a{DRAFT}" / DONE).exists()
    assert folder.load() == {}
    assert not folder.exists()
    folder.save({"a": writer.part("a")})
    assert contents(folder) == {"a": "a 1"}
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["a"]


def test_a_folder_without_its_mark_is_not_done(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    folder.save({"a": writer.part("a")})
    (tmp_path / "parts" / "a" / DONE).unlink()
    assert folder.load() == {}
    folder.save({"a": writer.part("a")})
    assert writer.written == ["a", "a"]


def test_a_part_is_written_into_an_empty_folder(folder: PartsFolder, tmp_path: Path) -> None:
    seen: list[list[Path]] = []
    left = tmp_path / "parts" / f"a{DRAFT}"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    folder.save({"a": Part("1", lambda draft: seen.append(list(draft.iterdir())))})
    assert seen == [[]]
