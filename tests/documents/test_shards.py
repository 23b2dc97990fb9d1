"""Shards: found wherever they are, in the order of their names, each with a version of its own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from social_provenance.documents import shards
from social_provenance.documents.shards import find_shards, write_shards
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    path.mkdir()
    return path


@pytest.fixture
def memory() -> Iterator[Any]:
    """Return an object store in memory, empty again afterwards."""
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()


def names(source: Any) -> list[str]:
    return [shard.name for shard in find_shards(str(source))]


def test_missing_folder_is_named_with_the_fix(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(CorpusError, match=re.escape(f"no corpus at {missing}") + ".*--params corpus=DIR"):
        find_shards(str(missing))


def test_folder_without_shards_is_refused_with_the_endings_that_count(folder: Path) -> None:
    (folder / "readme.txt").write_text("none here")
    with pytest.raises(CorpusError, match=re.escape(f"no shard in {folder}") + r".*\.jsonl\.zst.*\.parquet"):
        find_shards(str(folder))


def test_a_glob_that_fits_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"no file matches .*/\*\.jsonl: fix the pattern"):
        find_shards(f"{folder}/*.jsonl")


def test_shards_come_in_the_order_of_their_names_whatever_else_is_there(folder: Path) -> None:
    for name in ("b.jsonl", "a.parquet", "sub/c.jsonl.zst", "notes.md", "b.jsonl.part"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert names(folder) == ["a.parquet", "b.jsonl", "sub/c.jsonl.zst"]
    assert names(f"{folder}/*.jsonl") == ["b.jsonl"]
    assert names(f"{folder}/**/*.zst") == ["sub/c.jsonl.zst"]
    assert names(f"{folder}/s*/c.*") == ["sub/c.jsonl.zst"]


def test_a_single_file_is_a_corpus(write_shard: Any, folder: Path, row: Any) -> None:
    path = write_shard(folder / "only.jsonl", [row("a")])
    write_shard(folder / "other.jsonl", [row("b")])
    assert names(path) == ["only.jsonl"]


def test_a_shard_has_another_version_once_its_content_is_another(write_shard: Any, folder: Path, row: Any) -> None:
    paths = [write_shard(folder / name, [row(name)]) for name in ("a.jsonl", "b.jsonl")]
    before = {shard.name: shard.version for shard in find_shards(str(folder))}
    os.utime(paths[0], (0, 0))
    assert {shard.name: shard.version for shard in find_shards(str(folder))} == before
    write_shard(paths[1], [row("c")])
    after = {shard.name: shard.version for shard in find_shards(str(folder))}
    assert (after["a.jsonl"] == before["a.jsonl"], after["b.jsonl"] == before["b.jsonl"]) == (True, False)


def test_large_corpora_are_told_apart_by_sizes_and_times(
    write_shard: Any, folder: Path, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(folder / "a.jsonl", [row("a")])
    monkeypatch.setattr(shards, "HASH_LIMIT", 1)
    before = find_shards(str(folder))[0].version
    assert find_shards(str(folder))[0].version == before
    os.utime(path, (0, 0))
    assert find_shards(str(folder))[0].version != before


@pytest.mark.parametrize("source", ["memory://corpus", "memory://corpus/**/*.jsonl", "memory://corpus/sub/a.jsonl"])
def test_an_object_store_is_read_as_a_folder_is(
    memory: Any, write_shard: Any, folder: Path, row: Any, source: str
) -> None:
    memory.pipe("/corpus/sub/a.jsonl", write_shard(folder / "a.jsonl", [row("a"), row("b")]).read_bytes())
    memory.pipe("/corpus/readme.md", b"no shard")
    (shard,) = find_shards(source)
    assert shard.name == ("a.jsonl" if source.endswith("sub/a.jsonl") else "sub/a.jsonl")
    assert [one["id"] for one in shard.rows()] == ["a", "b"]
    assert shard.size == len(memory.cat("/corpus/sub/a.jsonl"))


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
def test_compressed_shards_of_a_store_are_read(
    memory: Any, write_shard: Any, folder: Path, row: Any, suffix: str
) -> None:
    memory.pipe(f"/corpus/a{suffix}", write_shard(folder / f"a{suffix}", [row("a"), row("b")]).read_bytes())
    (shard,) = find_shards("memory://corpus")
    assert [one["id"] for one in shard.rows()] == ["a", "b"]


def test_an_object_of_a_store_that_is_written_anew_is_another_version(memory: Any) -> None:
    memory.pipe("/corpus/a.jsonl", b"{}")
    before = find_shards("memory://corpus")[0].version
    assert find_shards("memory://corpus")[0].version == before
    memory.pipe("/corpus/a.jsonl", b"{} ")
    assert find_shards("memory://corpus")[0].version != before


@pytest.mark.parametrize("source", ["memory://nowhere", "nosuchthing://bucket"])
def test_a_store_that_cannot_be_listed_is_named(source: str) -> None:
    with pytest.raises(CorpusError, match=re.escape(source)):
        find_shards(source)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_written_shards_give_back_what_was_dealt_out(
    folder: Path, read_folder: Any, row: Any, rows_of: Any, count: int
) -> None:
    rows = [row(f"{i}", f"text {i} \u2028 ü") for i in range(7)]
    write_shards(folder, rows, count)
    assert len(find_shards(str(folder))) == count
    assert [(one["doc_id"], one["text"]) for one in rows_of(read_folder(folder))] == [
        (one["id"], one["text"]) for one in rows
    ]
