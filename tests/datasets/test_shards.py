"""A corpus folder: read as it is, written only where the miniature wrote before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from kedro.io import DatasetError

from social_provenance.datasets import ShardFolder
from social_provenance.datasets.shards import MARK
from social_provenance.errors import CorpusError
from social_provenance.lineage import ABSENT

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_saved_is_read_back(tmp_path: Path, row: Any, read_folder: Any, rows_of: Any) -> None:
    rows = [row(str(i)) for i in range(5)]
    ShardFolder(path=str(tmp_path / "corpus"), shards=2).save(rows)
    got = rows_of(read_folder(tmp_path / "corpus"))
    assert [(one["doc_id"], one["text"]) for one in got] == [(one["id"], one["text"]) for one in rows]


def test_saving_again_leaves_nothing_of_before(tmp_path: Path, row: Any) -> None:
    ShardFolder(path=str(tmp_path / "corpus"), shards=3).save([row("a")])
    again = ShardFolder(path=str(tmp_path / "corpus"), shards=1)
    again.save([row("b")])
    assert [shard.name for shard in again.load()] == ["shard-00.jsonl.zst"]


def test_a_corpus_of_the_users_own_is_left_alone(tmp_path: Path, row: Any, write_shard: Any, refused: Any) -> None:
    path = write_shard(tmp_path / "corpus" / "mine.jsonl", [row("mine")])
    before = path.read_bytes()
    for target in (path.parent, path):
        made = f"{target} is not a folder that the miniature pipeline made"
        with refused(CorpusError, made, "run --pipelines pretraining,provenance"):
            ShardFolder(path=str(target)).save([row("a")])
    assert [file.name for file in path.parent.iterdir()] == ["mine.jsonl"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["corpus/*.jsonl", "memory://corpus"])
def test_nothing_is_written_to_a_pattern_or_an_address(tmp_path: Path, row: Any, refused: Any, place: str) -> None:
    target = place if "://" in place else str(tmp_path / place)
    folder = ShardFolder(path=target)
    assert folder.exists()
    with refused(CorpusError, f"{target} is not a folder that the miniature pipeline made"):
        folder.save([row("a")])
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_leaves_the_corpus_of_before(tmp_path: Path, row: Any, read_folder: Any) -> None:
    folder = ShardFolder(path=str(tmp_path / "corpus"), shards=1)
    folder.save([row("a")])
    with pytest.raises(DatasetError, match="not JSON serializable"):
        folder.save([row("b"), {"id": {1}}])
    assert read_folder(tmp_path / "corpus").doc_id.execute().tolist() == ["a"]


def test_the_mark_is_no_shard(tmp_path: Path, row: Any) -> None:
    folder = ShardFolder(path=str(tmp_path / "corpus"), shards=1)
    folder.save([row("a")])
    assert (tmp_path / "corpus" / MARK).exists()
    assert len(folder.load()) == 1


def test_shards_are_named_by_their_place_below_the_folder(tmp_path: Path, row: Any, write_shard: Any) -> None:
    for name in ("b.jsonl", "a/x.parquet"):
        write_shard(tmp_path / name, [row(name)])
    assert [shard.name for shard in ShardFolder(path=str(tmp_path)).load()] == ["a/x.parquet", "b.jsonl"]
    assert [shard.name for shard in ShardFolder(path=str(tmp_path / "b.jsonl")).load()] == ["b.jsonl"]


def test_fields_go_over_the_usual_places(tmp_path: Path, row: Any, write_shard: Any) -> None:
    write_shard(tmp_path / "a.jsonl", [row("a")])
    (shard,) = ShardFolder(path=str(tmp_path), fields={"text": "content"}).load()
    assert (shard.fields["text"], shard.fields["doc_id"]) == ("content", "id")


def test_an_unknown_field_is_named_beside_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"raw_documents\.fields: unknown field 'txt'; did you mean 'text'\?"):
        ShardFolder(path=str(tmp_path), fields={"txt": "content"})


def test_a_missing_corpus_is_an_error_on_loading_and_not_before(tmp_path: Path, refused: Any) -> None:
    folder = ShardFolder(path=str(tmp_path / "nowhere"))
    assert not folder.exists()
    with refused(CorpusError, f"no corpus at {tmp_path / 'nowhere'}", "--params corpus=DIR"):
        folder.load()


def test_the_ledger_sees_a_shard_that_changed_wherever_it_is(tmp_path: Path, row: Any, write_shard: Any) -> None:
    store = fsspec.filesystem("memory")
    write_shard(tmp_path / "a.jsonl", [row("a")])
    store.pipe("/corpus/a.jsonl", b"{}")
    try:
        for source, change in (
            (f"{tmp_path}/*.jsonl", lambda: write_shard(tmp_path / "a.jsonl", [row("b")])),
            ("memory://corpus", lambda: store.pipe("/corpus/a.jsonl", b"{} ")),
        ):
            folder = ShardFolder(path=source)
            before = folder.digest()
            assert folder.digest() == before
            change()
            assert folder.digest() != before
    finally:
        store.store.clear()


def test_a_corpus_has_the_same_identity_in_another_place(tmp_path: Path, row: Any, write_shard: Any) -> None:
    assert ShardFolder(path=str(tmp_path / "x")).digest() == ABSENT
    write_shard(tmp_path / "x" / "a.jsonl", [row("a")])
    before = ShardFolder(path=str(tmp_path / "x")).digest()
    (tmp_path / "x").rename(tmp_path / "y")
    assert ShardFolder(path=str(tmp_path / "y")).digest() == before != ABSENT


def test_the_place_of_a_corpus_has_no_secrets(tmp_path: Path) -> None:
    assert ShardFolder(path=str(tmp_path)).location() == tmp_path
    assert ShardFolder(path="s3://me:sesame@bucket/a?key=sesame").location() == "s3://bucket/a"


@pytest.mark.parametrize("name", ["run[1]", "a*", "q?"])
def test_a_root_of_any_name_is_written_and_read(tmp_path: Path, row: Any, name: str) -> None:
    (tmp_path / name).mkdir()  # as the lock of a run does
    folder = ShardFolder(path=str(tmp_path / name / "corpus"), shards=1)
    folder.save([row("a")])
    assert (tmp_path / name / "corpus" / MARK).exists()
    assert [one["id"] for one in folder.load()[0].rows()] == ["a"]


def test_loading_says_what_is_passed_over(tmp_path: Path, row: Any, caplog: pytest.LogCaptureFixture) -> None:
    folder = ShardFolder(path=str(tmp_path / "corpus"), shards=1)
    folder.save([row("a")])
    (tmp_path / "corpus/notes.md").touch()
    with caplog.at_level("INFO"):
        folder.digest()
        assert "notes.md" not in caplog.text
        folder.load()
    assert f"2 passed over: {MARK} (no shard by its name), notes.md (no shard by its name)" in caplog.text


def test_a_number_is_a_path(tmp_path: Path, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ShardFolder(path="2024", shards=1).save([row("a")])
    number: Any = 2024
    assert len(ShardFolder(path=number).load()) == 1
