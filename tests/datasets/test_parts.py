"""Artifacts in parts: each computed once for its inputs, and finished or not there."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DatasetError

from social_provenance.artifacts import SEAL, OneByOne, Parts, Work, part_digest, seal
from social_provenance.datasets import PartsFolder
from social_provenance.datasets.folders import DRAFT
from social_provenance.datasets.identity import ABSENT
from social_provenance.datasets.parts import CURRENT
from social_provenance.errors import ArtifactError
from social_provenance.fingerprint import digest_of_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Usage = namedtuple("Usage", "total used free")


class Writer:
    """Writes parts and remembers which."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def parts(self, **digests: str) -> Parts:
        return Parts(digests, OneByOne({name: self._writer(name, digest) for name, digest in digests.items()}))

    def _writer(self, name: str, digest: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            self.written.append(name)
            (folder / "content").write_text(f"{name} {digest}")

        return write


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def folder(tmp_path: Path) -> PartsFolder:
    return PartsFolder(path=str(tmp_path / "parts"))


@pytest.fixture
def keeping(tmp_path: Path) -> PartsFolder:
    return PartsFolder(path=str(tmp_path / "parts"), keep=True)


NEW = digest_of_code()
"""The digest of the code of these tests: they are not of the package."""


def by_other_code(folder: PartsFolder, *names: str, code: str = "old") -> None:
    """Make the parts of a folder look as if other code had computed them from the same inputs."""
    for name in names:
        path = folder.load()[name]
        inputs = json.loads((path / SEAL).read_text())["inputs"]
        seal(path, inputs, code)
        if path.name != name:
            path.rename(path.with_name(f"{name}-{part_digest(inputs, code)}"))


def contents(folder: PartsFolder) -> dict[str, str]:
    return {name: (path / "content").read_text() for name, path in folder.load().items()}


def dies_at(place: str, parts: Parts) -> Parts:
    """Return the parts, killed while one of them is half-written."""

    def write(waiting: Mapping[str, Path]) -> Iterator[str]:
        yield from parts.write({name: draft for name, draft in waiting.items() if name < place})
        (waiting[place] / "content").write_text("half")
        raise KeyboardInterrupt

    return Parts(parts.inputs, write)


def test_parts_are_loaded_by_name(folder: PartsFolder, writer: Writer) -> None:
    folder.save(writer.parts(b="1", a="1"))
    assert contents(folder) == {"a": "a 1", "b": "b 1"}


def test_nothing_is_there_before_the_first_save(folder: PartsFolder) -> None:
    assert not folder.exists()
    assert folder.load() == {}


def test_an_artifact_without_parts_is_there_all_the_same(folder: PartsFolder, writer: Writer) -> None:
    folder.save(writer.parts())
    assert folder.exists()
    assert folder.load() == {}


def test_a_part_that_is_done_is_not_computed_again(folder: PartsFolder, writer: Writer) -> None:
    folder.save(writer.parts(a="1", b="1"))
    folder.save(writer.parts(a="1", b="1"))
    assert writer.written == ["a", "b"]
    assert folder.exists()


def test_only_parts_of_another_digest_are_computed_again(folder: PartsFolder, writer: Writer) -> None:
    folder.save(writer.parts(a="1", b="1"))
    folder.save(writer.parts(a="1", b="2"))
    assert writer.written == ["a", "b", "b"]
    assert contents(folder) == {"a": "a 1", "b": "b 2"}


def test_parts_no_longer_asked_for_are_removed(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    folder.save(writer.parts(a="1", b="1"))
    folder.save(writer.parts(b="1", c="1"))
    assert contents(folder) == {"b": "b 1", "c": "c 1"}
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["b", "c", CURRENT]


def test_parts_that_are_kept_serve_again_and_never_mix(keeping: PartsFolder, writer: Writer) -> None:
    keeping.save(writer.parts(a="1", b="1"))
    keeping.save(writer.parts(a="2", c="2"))
    assert contents(keeping) == {"a": "a 2", "c": "c 2"}
    keeping.save(writer.parts(a="1", b="1"))
    assert contents(keeping) == {"a": "a 1", "b": "b 1"}
    assert writer.written == ["a", "b", "a", "c"]


@pytest.mark.parametrize("place", ["a", "b", "c"])
def test_a_killed_run_leaves_what_was_done_and_goes_on_there(folder: PartsFolder, writer: Writer, place: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        folder.save(dies_at(place, writer.parts(a="1", b="1", c="1")))
    assert not folder.exists()
    folder.save(writer.parts(a="1", b="1", c="1"))
    assert writer.written == ["a", "b", "c"]
    assert contents(folder) == {"a": "a 1", "b": "b 1", "c": "c 1"}


def test_a_killed_run_does_not_leave_the_parts_of_the_run_before_as_its_own(
    keeping: PartsFolder, writer: Writer
) -> None:
    keeping.save(writer.parts(a="1"))
    with pytest.raises(KeyboardInterrupt):
        keeping.save(dies_at("a", writer.parts(a="2")))
    assert not keeping.exists()
    assert keeping.load() == {}


def test_a_part_killed_at_its_last_breath_is_not_done(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    """Between the seal and the renaming a draft looks finished; it is not."""
    draft = tmp_path / "parts" / f"a{DRAFT}"
    draft.mkdir(parents=True)
    seal(draft, "1", digest_of_code())
    folder.save(writer.parts(a="1"))
    assert contents(folder) == {"a": "a 1"}
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["a", CURRENT]


def test_a_folder_without_its_seal_is_not_done(keeping: PartsFolder, writer: Writer) -> None:
    keeping.save(writer.parts(a="1"))
    (keeping.load()["a"] / SEAL).unlink()
    keeping.save(writer.parts(a="1"))
    assert writer.written == ["a", "a"]


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b"[1]", b"null"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_part_whose_seal_is_broken_is_computed_again_and_nothing_blocks(
    tmp_path: Path, writer: Writer, caplog: pytest.LogCaptureFixture, content: bytes, keep: bool
) -> None:
    folder = PartsFolder(path=str(tmp_path / "parts"), keep=keep)
    folder.save(writer.parts(a="1", b="1"))
    before = folder.digest()
    (folder.load()["a"] / SEAL).write_bytes(content)
    assert folder.digest() not in (before, ABSENT)
    folder.save(writer.parts(a="1", b="1"))
    assert writer.written == ["a", "b", "a"]
    assert folder.digest() == before
    assert "its seal done.json cannot be read" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b"[1]", b'{"a": 1}'])
def test_a_list_of_parts_that_is_damaged_is_one_line_and_is_written_again(
    folder: PartsFolder, writer: Writer, refused: Any, content: bytes
) -> None:
    folder.save(writer.parts(a="1"))
    (folder.location() / CURRENT).write_bytes(content)
    with refused(ArtifactError, str(folder.location() / CURRENT), "is not a list of parts", "reuses finished parts"):
        folder.load()
    assert folder.digest() == ABSENT
    folder.save(writer.parts(a="1"))
    assert contents(folder) == {"a": "a 1"}
    assert writer.written == ["a"]


def test_a_damaged_part_is_recomputed_and_the_others_stay(
    keeping: PartsFolder, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    keeping.save(writer.parts(a="1", b="1"))
    (keeping.load()["b"] / "content").write_text("b 7")
    keeping.save(writer.parts(a="1", b="1"))
    assert writer.written == ["a", "b", "b"]
    assert contents(keeping) == {"a": "a 1", "b": "b 1"}
    assert (
        f"{keeping.load()['b'].name} is damaged (content differs from its sealed checksum) and is recomputed"
        in caplog.text
    )


def test_a_part_is_written_into_an_empty_folder(folder: PartsFolder, tmp_path: Path) -> None:
    seen: list[list[Path]] = []
    left = tmp_path / "parts" / f"a{DRAFT}"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    folder.save(Parts({"a": "1"}, OneByOne({"a": lambda draft: seen.append(list(draft.iterdir()))})))
    assert seen == [[]]


def test_parts_that_wait_are_computed_together(folder: PartsFolder) -> None:
    asked: list[list[str]] = []

    def write(waiting: Mapping[str, Path]) -> Iterator[str]:
        asked.append(sorted(waiting))
        yield from waiting

    folder.save(Parts({"a": "1", "b": "1"}, write))
    folder.save(Parts({"a": "1", "b": "1", "c": "1", "d": "1"}, write))
    folder.save(Parts({"a": "1", "b": "1", "c": "1", "d": "1"}, write))
    assert asked == [["a", "b"], ["c", "d"]]


def test_the_plan_is_told_before_the_work_begins(
    folder: PartsFolder, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = writer.parts(a="1", b="1", c="1")
    work = {"a": Work(1, 10, 100), "b": Work(2000, 1_000_000, 3_000_000), "c": Work(345, 500_000, 1_500_000)}
    folder.save(writer.parts(a="1"))

    def write(waiting: Mapping[str, Path]) -> Iterator[str]:
        assert "parts: 2,345 documents, 1,500,000 tokens, 4.5 MB on disk, about 1 h 15 min" in caplog.text
        yield from made.write(waiting)

    folder.save(Parts(made.inputs, write, work, lambda: 0.003))
    assert writer.written == ["a", "b", "c"]
    assert "parts: 1 of 3 parts exist already" in caplog.text


def test_a_disk_that_is_too_small_is_told_before_the_work_begins(
    folder: PartsFolder, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 5 * 10**8))
    made = writer.parts(a="1")
    said = r"5 documents, 268\.4 MB to spare, and its disk has 500\.0 MB free: make room, .*store: fp16"
    with pytest.raises(DatasetError, match=said) as caught:
        folder.save(Parts(made.inputs, made.write, {"a": Work(5, 10, 3 * 10**8)}))
    assert isinstance(caught.value.__cause__, ArtifactError)
    assert writer.written == []
    folder.save(Parts(made.inputs, made.write, {"a": Work(5, 10, 2 * 10**8)}))
    assert writer.written == ["a"]


def test_another_node_takes_part_and_leaves_no_trace(
    folder: PartsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def write(waiting: Mapping[str, Path]) -> Iterator[str]:
        for name in waiting:
            asked.append(name)
            yield name

    monkeypatch.setenv("SLURM_NODEID", "1")
    folder.save(Parts({"a": "1", "b": "1"}, write))
    assert asked == ["a", "b"]
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize("keep", [True, False])
def test_parts_of_other_code_are_computed_again_and_named(
    tmp_path: Path, writer: Writer, caplog: pytest.LogCaptureFixture, keep: bool
) -> None:
    folder = PartsFolder(path=str(tmp_path / "parts"), keep=keep)
    folder.save(writer.parts(a="1", b="1"))
    by_other_code(folder, "b")
    folder.save(writer.parts(a="1", b="1"))
    assert writer.written == ["a", "b", "b"]
    assert f"1 parts were computed from the same inputs by other code (old; the present code is {NEW})" in caplog.text
    assert '--params "accepted_code=old"' in caplog.text
    assert folder.accepted() == {}


@pytest.mark.parametrize("keep", [True, False])
def test_parts_of_accepted_code_stay_as_they_are_and_say_so(
    tmp_path: Path, writer: Writer, caplog: pytest.LogCaptureFixture, keep: bool
) -> None:
    first = PartsFolder(path=str(tmp_path / "parts"), keep=keep)
    first.save(writer.parts(a="1", b="1"))
    by_other_code(first, "a", "b")
    caplog.clear()
    folder = PartsFolder(path=str(tmp_path / "parts"), keep=keep, accept="older old")
    folder.save(writer.parts(a="1", b="1", c="1"))
    assert writer.written == ["a", "b", "c"]
    assert contents(folder) == {"a": "a 1", "b": "b 1", "c": "c 1"}
    assert folder.accepted() == {"old": NEW}
    assert "other code" not in caplog.text
    folder.save(writer.parts(c="1"))
    assert folder.accepted() == {}


def test_accepted_code_excuses_no_other_inputs(tmp_path: Path, writer: Writer) -> None:
    first = PartsFolder(path=str(tmp_path / "parts"))
    first.save(writer.parts(a="1"))
    by_other_code(first, "a")
    folder = PartsFolder(path=str(tmp_path / "parts"), accept=["old"])
    folder.save(writer.parts(a="2"))
    assert contents(folder) == {"a": "a 2"}
    assert folder.accepted() == {}


def test_accepted_code_excuses_no_damage(tmp_path: Path, writer: Writer) -> None:
    first = PartsFolder(path=str(tmp_path / "parts"))
    first.save(writer.parts(a="1"))
    by_other_code(first, "a")
    (first.load()["a"] / "content").write_text("a 7")
    folder = PartsFolder(path=str(tmp_path / "parts"), accept=["old"])
    folder.save(writer.parts(a="1"))
    assert contents(folder) == {"a": "a 1"}
    assert folder.accepted() == {}


def test_the_identity_is_of_the_parts_and_nothing_else(
    folder: PartsFolder, keeping: PartsFolder, writer: Writer, tmp_path: Path
) -> None:
    folder.save(writer.parts(a="1", b="1"))
    before = folder.digest()
    (tmp_path / "parts").rename(tmp_path / "moved")
    moved = PartsFolder(path=str(tmp_path / "moved"))
    assert moved.digest() == before
    for number, path in enumerate(sorted((tmp_path / "moved").rglob("*"))):
        os.utime(path, (number, number))
    (tmp_path / "moved" / "notes.txt").write_text("beside the parts")
    assert moved.digest() == before
    keeping.save(writer.parts(b="1", a="1"))  # in other folders, in another order
    assert keeping.digest() == before


def test_the_identity_is_that_of_the_current_parts(keeping: PartsFolder, writer: Writer) -> None:
    assert keeping.digest() == ABSENT
    found = []
    for digests in ({"a": "1"}, {"a": "2"}, {"a": "1", "b": "1"}, {"a": "1"}):
        keeping.save(writer.parts(**digests))
        found.append(keeping.digest())
    assert len(set(found[:3])) == 3
    assert found[3] == found[0]


@pytest.mark.parametrize("harm", ["remove", "cut off", "unseal", "remove the part", "flip a byte"])
def test_a_part_that_is_not_whole_is_another_content(
    folder: PartsFolder, writer: Writer, tmp_path: Path, harm: str
) -> None:
    folder.save(writer.parts(a="1", b="1"))
    before = folder.digest()
    part = tmp_path / "parts" / "a"
    match harm:
        case "remove":
            (part / "content").unlink()
        case "cut off":
            (part / "content").write_text("a")
        case "flip a byte":
            (part / "content").write_text("b 1")
        case "unseal":
            (part / SEAL).unlink()
        case "remove the part":
            shutil.rmtree(part)
    assert folder.digest() not in (before, ABSENT)


def test_a_list_of_parts_that_was_cut_off_names_none(folder: PartsFolder, writer: Writer, tmp_path: Path) -> None:
    folder.save(writer.parts(a="1"))
    (tmp_path / "parts" / CURRENT).write_text('{"a"')
    assert folder.digest() == ABSENT


def test_the_digest_is_the_same_whether_bytes_are_read_or_not(
    folder: PartsFolder, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.save(writer.parts(a="1", b="1"))
    read = folder.digest()
    monkeypatch.setattr("social_provenance.datasets.parts.HASH_LIMIT", 3)
    assert folder.digest() == read
    (folder.load()["a"] / "content").write_text("b 1")  # the same size: a large store is not read for this
    assert folder.digest() == read
