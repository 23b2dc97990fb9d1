"""Digests: equal for equal contents and for nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pytest
from pydantic import BaseModel

from social_provenance import fingerprint
from social_provenance.errors import ArtifactError
from social_provenance.fingerprint import digest_of, digest_of_path, unordered_sums


class Settings(BaseModel):
    size: int = 1
    names: tuple[str, ...] = ("a", "b")


DISTINCT: list[Any] = [
    1,
    "1",
    1.5,
    None,
    True,
    [1],
    [[1]],
    [1, 2],
    [2, 1],
    "ä",
    "a\u2028",
    {"a": 1},
    {"a": {"b": 1}},
    {},
    [],
    "",
    Settings(),
    Settings(size=2),
]


def test_different_values_have_different_digests() -> None:
    assert len({digest_of(value) for value in DISTINCT}) == len(DISTINCT)


def test_a_digest_is_sixteen_hexadecimal_digits_and_known() -> None:
    known = hashlib.sha256('[{"a": "ä", "b": 1}, 2]'.encode()).hexdigest()
    assert digest_of({"b": 1, "a": "ä"}, 2) == known[:16]


def test_mappings_compare_without_order_and_sequences_with() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of(["a", "b"]) != digest_of(["b", "a"])


def test_how_many_values_there_are_counts() -> None:
    assert digest_of("a", "b") != digest_of(["a", "b"]) != digest_of("ab")


def test_numbers_of_numpy_are_numbers() -> None:
    assert digest_of(np.float64(0.5), np.arange(3)) == digest_of(0.5, [0, 1, 2])


def test_paths_and_settings_count_by_their_content() -> None:
    assert digest_of(Path("a/b")) == digest_of("a/b")
    assert digest_of(Settings()) == digest_of({"size": 1, "names": ["a", "b"]})


def test_what_has_no_content_has_no_digest() -> None:
    with pytest.raises(TypeError, match="cannot take the digest of a object"):
        digest_of(object())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "sub").mkdir(parents=True)
    (root / "a").write_text("one")
    (root / "sub" / "b").write_text("two")
    return root


def test_a_copy_elsewhere_has_the_same_digest(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "place"
    (other / "sub").mkdir(parents=True)
    (other / "sub" / "b").write_text("two")
    (other / "a").write_text("one")
    assert digest_of_path(other) == digest_of_path(folder)
    assert digest_of_path(other / "a") == digest_of_path(folder / "a")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a").write_text("ONE"),
        lambda root: (root / "a").rename(root / "c"),
        lambda root: (root / "c").write_text(""),
        lambda root: (root / "sub" / "b").unlink(),
        lambda root: (root / "sub").rename(root / "bus"),
        lambda root: [(root / "a").write_text("two"), (root / "sub" / "b").write_text("one")],
    ],
    ids=["content", "name", "more", "less", "folder", "swapped"],
)
def test_every_change_of_contents_or_names_changes_the_digest(folder: Path, change: Any) -> None:
    before = digest_of_path(folder)
    change(folder)
    assert digest_of_path(folder) != before


def test_times_and_hidden_and_compiled_files_do_not_count(folder: Path) -> None:
    before = digest_of_path(folder)
    os.utime(folder / "a", (1, 1))
    (folder / ".hidden").write_text("x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "y").write_text("y")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "z.pyc").write_text("z")
    assert digest_of_path(folder) == before


def test_a_folder_below_a_hidden_one_counts(tmp_path: Path) -> None:
    digests = []
    for content in ("one", "two"):
        file = tmp_path / ".hidden" / "folder" / "a"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        digests.append(digest_of_path(file.parent))
    assert digests[0] != digests[1]


def _linked(folder: Path, kind: str, elsewhere: Path) -> None:
    """Move parts of a folder elsewhere and put links in their place."""
    moved = {"file": ["a"], "folder": ["sub"], "both": ["a", "sub"], "below": ["sub/b"], "twice": ["sub"]}[kind]
    for name in moved:
        target = elsewhere / name.replace("/", "-")
        (folder / name).rename(target)
        if kind == "twice":
            (elsewhere / "link").symlink_to(target)
            target = elsewhere / "link"
        (folder / name).symlink_to(target)


@pytest.mark.parametrize("kind", ["file", "folder", "both", "below", "twice"])
def test_what_a_link_leads_to_counts_as_if_it_stood_there(folder: Path, tmp_path: Path, kind: str) -> None:
    (folder / "sub" / "deep").mkdir()
    (folder / "sub" / "deep" / "c").write_text("three")
    before = digest_of_path(folder)
    elsewhere = tmp_path / ".blobs"
    elsewhere.mkdir()
    _linked(folder, kind, elsewhere)
    assert digest_of_path(folder) == before
    assert digest_of_path(shutil.copytree(folder, tmp_path / "copy")) == before
    for file in (folder / "a", folder / "sub" / "b", folder / "sub" / "deep" / "c"):
        text = file.read_text()
        file.write_text("changed")
        assert digest_of_path(folder) != before
        file.write_text(text)
    (tmp_path / "link").symlink_to(folder)
    assert digest_of_path(tmp_path / "link") == before


def test_one_folder_under_two_names_counts_twice(folder: Path) -> None:
    (folder / "again").symlink_to("sub")
    before = digest_of_path(folder)
    assert digest_of_path(shutil.copytree(folder, folder.with_name("copy"))) == before
    (folder / "again").unlink()
    assert digest_of_path(folder) != before


@pytest.mark.parametrize(("link", "target"), [("loop", "."), ("sub/loop", ".."), ("sub/loop", "../sub"), ("up", "..")])
def test_a_link_to_what_contains_it_is_refused(folder: Path, link: str, target: str) -> None:
    (folder / link).symlink_to(target)
    with pytest.raises(ArtifactError, match=rf"{folder / link} is a link to {target}, which contains it: remove the"):
        digest_of_path(folder)


def test_a_circle_of_two_links_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (folder / "there").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(folder)
    with pytest.raises(ArtifactError, match=r"is a link to .*, which contains it: remove the link"):
        digest_of_path(folder)


@pytest.mark.parametrize("name", ["c", "sub/c"])
def test_a_link_that_leads_nowhere_is_refused_unless_it_is_hidden(folder: Path, name: str) -> None:
    before = digest_of_path(folder)
    (folder / ".#lock").symlink_to("nobody@nowhere")
    assert digest_of_path(folder) == before
    (folder / name).symlink_to("nowhere")
    with pytest.raises(ArtifactError, match=rf"{folder / name} is a link to nowhere, where nothing is: restore"):
        digest_of_path(folder)


def test_nothing_at_a_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        digest_of_path(tmp_path / "nowhere")


def _sums(hashes: list[str]) -> dict[str, int]:
    table = ibis.memtable({"md5": hashes})
    row = table.aggregate(**unordered_sums(table.md5)).execute().iloc[0]
    return {name: int(row[name]) for name in row.index}


def test_sums_over_rows_are_those_of_their_words_in_any_order() -> None:
    hashes = [hashlib.md5(f"{row}".encode()).hexdigest() for row in range(300)]
    expected = {f"word_{word}": sum(int(each[7 * word :][:7], 16) for each in hashes) for word in range(3)}
    assert _sums(hashes) == _sums(hashes[::-1]) == expected
    for other in (hashes[1:], [*hashes, hashes[0]], [hashes[1], *hashes[1:]]):
        found = _sums(other)
        assert all(found[word] != expected[word] for word in expected)


def test_very_large_folders_are_told_apart_by_content_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = digest_of_path(folder)
    monkeypatch.setattr(fingerprint, "HASH_LIMIT", 3)
    before = digest_of_path(folder)
    os.utime(folder / "a", ns=(2, 2))
    shutil.copytree(folder, folder.with_name("copy"), copy_function=shutil.copyfile)
    assert digest_of_path(folder.with_name("copy")) == digest_of_path(folder) == before != small
    (folder / "a").write_text("two")
    assert digest_of_path(folder) != before


def saved_rows(folder: Path, values: list[int]) -> Path:
    from datasets import Dataset

    Dataset.from_dict({"value": values}).save_to_disk(str(folder))
    state = json.loads((folder / "state.json").read_text())
    assert "_fingerprint" in state
    (folder / "state.json").write_text(json.dumps(state | {"_fingerprint": folder.name}))
    return folder


def test_rows_saved_again_have_the_digest_of_before(tmp_path: Path) -> None:
    one, again, other = (saved_rows(tmp_path / name, [1, 2, last]) for name, last in (("a", 3), ("b", 3), ("c", 4)))
    assert digest_of_path(one) == digest_of_path(again) != digest_of_path(other)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"step": 1}', '{"step": 2}', "\x00"])
def test_another_file_of_that_name_counts_in_full(folder: Path, content: str) -> None:
    before = digest_of_path(folder)
    (folder / "state.json").write_text(content)
    one = digest_of_path(folder)
    (folder / "state.json").write_text(content + " ")
    assert len({before, one, digest_of_path(folder)}) == 3
