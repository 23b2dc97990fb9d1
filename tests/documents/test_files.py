"""Files of a corpus: every one is read, or counted and named among those that are passed over."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from social_provenance.documents.files import list_local, list_remote
from social_provenance.errors import CorpusError

NAMES = st.text(st.sampled_from("ab1[]*?{}!%#=:'\"\\ ~é中"), min_size=1, max_size=6).filter(
    lambda name: name not in {"*", "**"}
)


def names(source: object) -> list[str]:
    listing = list_local(Path(str(source)))
    return sorted(listing.name(place) for place in listing.files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("corpus/a.jsonl", "corpus/sub/b.jsonl", "elsewhere/c.jsonl", "elsewhere/deep/d.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "corpus"


@given(NAMES)
@example("run[1]")
def test_a_folder_with_any_name_is_read_and_not_its_neighbours(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        for neighbour in ("run1", "a", "ab", "a1", name):
            (Path(base) / neighbour).mkdir(exist_ok=True)
            (Path(base) / neighbour / f"of {neighbour}.jsonl").touch()
        expected = [f"of {name}.jsonl"]
        for source in (f"{base}/{name}", f"{base}/{name}/*.jsonl", f"{base}/{name}/**/*.jsonl"):
            assert names(source) == expected
            if "::" not in name:  # which chains addresses
                listing = list_remote(f"local://{source}", {})
                assert sorted(map(listing.name, listing.files)) == expected


def test_links_to_folders_are_followed(folder: Path) -> None:
    (folder / "link").symlink_to("../elsewhere", target_is_directory=True)
    (folder / "one.jsonl").symlink_to("../elsewhere/c.jsonl")
    assert names(folder) == ["a.jsonl", "link/c.jsonl", "link/deep/d.jsonl", "one.jsonl", "sub/b.jsonl"]
    assert names(f"{folder}/**/*.jsonl") == names(folder)
    assert names(f"{folder}/*/*.jsonl") == ["link/c.jsonl", "sub/b.jsonl"]
    assert list_local(folder).passed_over == {}


def test_a_folder_is_read_once_however_many_links_lead_to_it(folder: Path) -> None:
    before = names(folder)
    for name, target in {"again": "sub", "aa/self": "..", "sub/up": "../..", "sub/here": "."}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(target, target_is_directory=True)
    listing = list_local(folder)
    assert sorted(map(listing.name, listing.files)) == before
    assert sorted(map(listing.name, listing.passed_over)) == ["aa/self", "again", "sub/here", "sub/up"]
    assert "contains it" in listing.passed_over[f"{folder}/sub/up"]
    assert listing.describe_passed_over().startswith(f"4 passed over: aa/self (the same folder as {folder})")


def test_a_part_of_a_folder_that_was_read_through_another_link_is_not_read_again(folder: Path) -> None:
    (folder / "l1").symlink_to("../elsewhere/deep", target_is_directory=True)
    (folder / "l2").symlink_to("../elsewhere", target_is_directory=True)
    listing = list_local(folder)
    assert sorted(map(listing.name, listing.files)) == ["a.jsonl", "l1/d.jsonl", "l2/c.jsonl", "sub/b.jsonl"]
    assert listing.passed_over == {f"{folder}/l2/deep": f"the same folder as {folder}/l1"}


@pytest.mark.parametrize("name", ["b.jsonl", "b", "sub/b.parquet", "loop.jsonl"])
def test_a_link_that_leads_nowhere_is_an_error(folder: Path, name: str) -> None:
    (folder / name).symlink_to(name if name == "loop.jsonl" else "nowhere/z.jsonl")
    with pytest.raises(CorpusError, match=re.escape(f"{folder / name} is a link to ") + ".*restore"):
        list_local(folder)
    with pytest.raises(CorpusError, match="is a link to"):
        list_local(folder / name)


def test_a_pattern_asks_only_for_the_links_that_it_matches(folder: Path) -> None:
    (folder / "z.csv").symlink_to("nowhere")
    assert names(f"{folder}/*.jsonl") == ["a.jsonl"]


def test_what_is_no_shard_is_counted_and_named(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jsonl")
    (folder / ".#a.jsonl").symlink_to("user@host.1")
    for number in range(5):
        (folder / f"n{number}.md").touch()
    listing = list_local(folder).keep((".jsonl",))
    assert sorted(map(listing.name, listing.files)) == ["a.jsonl", "sub/b.jsonl"]
    assert listing.describe_passed_over() == (
        "7 passed over: .#a.jsonl (a hidden link that leads nowhere), n0.md (no shard by its name), n1.md (no shard by "
        "its name), n2.md (no shard by its name), n3.md (no shard by its name) and 2 more"
    )
    assert listing.passed_over[f"{folder}/pipe.jsonl"] == "neither a file nor a folder"


def test_a_name_that_is_not_utf8_is_refused(folder: Path) -> None:
    Path(os.fsdecode(bytes(folder) + b"/\xff.jsonl")).touch()
    with pytest.raises(CorpusError, match="not UTF-8: rename it"):
        list_local(folder)


def test_a_folder_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=re.escape(f"folder {folder}/sub cannot be read (Permission denied)")):
        list_local(folder)


def test_a_pattern_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"the pattern .* cannot be read \(.*\*\*.*\): fix it"):
        list_local(folder / "a**" / "x.jsonl")


def test_what_is_neither_a_folder_nor_a_file_is_named() -> None:
    with pytest.raises(CorpusError, match=r"^/dev/null is neither a folder nor a file: give a folder of shards"):
        list_local(Path("/dev/null"))


@pytest.mark.parametrize("name", ["x", "x.jsonl", "x/y.parquet"])
def test_a_store_that_has_nothing_there_is_no_store_of_other_files(name: str) -> None:
    with pytest.raises(CorpusError, match=rf"^the corpus at memory://nowhere/{name} cannot be listed \(FileNotFound"):
        list_remote(f"memory://nowhere/{name}", {})


@pytest.mark.parametrize("kind", [OSError, ValueError, RuntimeError, Exception])
def test_an_error_of_a_store_is_one_of_the_corpus(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise kind("no such host")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuse)
    with pytest.raises(
        CorpusError, match=rf"^the corpus at s3://b/x cannot be listed \({kind.__name__}: no such host\)"
    ):
        list_remote("s3://b/x", {})
