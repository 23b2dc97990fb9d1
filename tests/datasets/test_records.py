"""Records of shards: each read once for its content, and all read as one table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.artifacts import seal, sealed_origin
from social_provenance.datasets import PartsFolder, RecordFolder
from social_provenance.documents import records
from social_provenance.documents.records import plan_records
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import find_shards
from social_provenance.errors import ArtifactError, CorpusError
from social_provenance.lineage import ABSENT

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = DocumentSettings(min_chars=1)


@pytest.fixture
def corpus(tmp_path: Path, write_shard: Any, row: Any) -> Path:
    for name in "abc":
        write_shard(tmp_path / "corpus" / f"{name}.jsonl", [row(f"{name}{number}") for number in range(3)])
    return tmp_path / "corpus"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the shards that are read."""
    names: list[str] = []
    write = records.write_records

    def noting(shard: Any, *others: Any) -> Any:
        names.append(shard.name)
        return write(shard, *others)

    monkeypatch.setattr(records, "write_records", noting)
    return names


def save(folder: RecordFolder, corpus: Path, settings: DocumentSettings = SETTINGS) -> None:
    folder.save(plan_records(find_shards(str(corpus)), settings))


@pytest.fixture
def folder(tmp_path: Path) -> RecordFolder:
    return RecordFolder(path=str(tmp_path / "records"))


def ids(folder: RecordFolder) -> list[str]:
    return sorted(folder.load().doc_id.execute())


def test_all_shards_are_one_table(folder: RecordFolder, corpus: Path) -> None:
    save(folder, corpus)
    assert ids(folder) == [f"{name}{number}" for name in "abc" for number in range(3)]


def test_a_changed_shard_is_read_again_alone(
    folder: RecordFolder, corpus: Path, read: list[str], write_shard: Any, row: Any
) -> None:
    save(folder, corpus)
    write_shard(corpus / "b.jsonl", [row("new")])
    os.utime(corpus / "c.jsonl", (0, 0))
    write_shard(corpus / "0.jsonl", [row("first")])
    (corpus / "a.jsonl").unlink()
    del read[:]
    save(folder, corpus)
    assert read == ["0.jsonl", "b.jsonl"]
    assert ids(folder) == ["c0", "c1", "c2", "first", "new"]


def test_a_run_that_was_stopped_goes_on_with_the_next_shard(
    folder: RecordFolder, corpus: Path, read: list[str], write_shard: Any, row: Any, refused: Any
) -> None:
    write_shard(corpus / "b.jsonl", ["oops"])
    with refused(CorpusError, "row 1 is not a JSON object"):
        save(folder, corpus)
    assert read == ["a.jsonl", "b.jsonl"]
    with refused(ArtifactError, "has no parts"):
        folder.load()
    write_shard(corpus / "b.jsonl", [row("mended")])
    del read[:]
    save(folder, corpus)
    assert read == ["b.jsonl", "c.jsonl"]
    assert "mended" in ids(folder)


def test_a_damaged_shard_does_not_pass_for_read_on_the_next_run(
    folder: RecordFolder, corpus: Path, write_shard: Any, row: Any, refused: Any
) -> None:
    path = write_shard(corpus / "d.jsonl.gz", [row(str(number)) for number in range(99)])
    path.write_bytes(path.read_bytes()[:-9])
    for _ in range(2):
        with refused(CorpusError, f"shard {path} is damaged"):
            save(folder, corpus)
    save(folder, corpus, SETTINGS.model_copy(update={"max_damaged_share": 0.25}))
    assert folder.load().count().execute() == 10


def test_rules_that_change_are_asked_of_every_shard(folder: RecordFolder, corpus: Path, read: list[str]) -> None:
    save(folder, corpus)
    save(folder, corpus, DocumentSettings(min_chars=2))
    assert read == ["a.jsonl", "b.jsonl", "c.jsonl"] * 2


def test_the_identity_is_that_of_the_records(folder: RecordFolder, corpus: Path, write_shard: Any, row: Any) -> None:
    assert folder.digest() == ABSENT
    save(folder, corpus)
    before = folder.digest()
    assert folder.location().rename(folder.location().with_name("moved")).exists()
    assert RecordFolder(path=str(folder.location().with_name("moved"))).digest() == before != ABSENT
    write_shard(corpus / "b.jsonl", [row("new")])
    save(folder, corpus)
    assert folder.digest() not in (before, ABSENT)


def test_records_of_accepted_code_stay_and_say_so(folder: RecordFolder, corpus: Path, read: list[str]) -> None:
    save(folder, corpus)
    written = PartsFolder(path=str(folder.location()))
    (code,) = {by_other_code(path) for path in written.load().values()}
    accepting = RecordFolder(path=str(folder.location()), accept="old")
    save(accepting, corpus)
    assert read == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert accepting.accepted() == {"old": code}


def by_other_code(part: Path) -> str:
    """Make a part look as if other code had written it, and return the code that did."""
    inputs, code = sealed_origin(part)
    seal(part, str(inputs), "old")
    return str(code)
