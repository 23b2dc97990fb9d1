"""A dataset of the hub, played by a folder of data files: streamed, in its shards, at one revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DatasetError

from social_provenance.datasets import HubCorpus
from social_provenance.documents.records import plan_records
from social_provenance.documents.settings import DocumentSettings
from social_provenance.errors import ArtifactError, CorpusError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, write_shard: Any) -> Path:
    for name in "ab":
        rows = [{"key": f"{name}{number}", "text": f"text {name} {number}", "label": "Games"} for number in range(3)]
        write_shard(tmp_path / "data" / f"train-{name}.jsonl", rows)
    return tmp_path / "data"


FIELDS: Any = {"doc_id": "key", "given_topic": "label"}


def test_every_row_is_in_one_shard(folder: Path) -> None:
    shards = HubCorpus(name=str(folder), fields=FIELDS).load()
    assert [shard.name for shard in shards] == ["train-000000-of-000002", "train-000001-of-000002"]
    assert sorted(row["key"] for shard in shards for row in shard.rows()) == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_rows_become_records(folder: Path, tmp_path: Path) -> None:
    import pandas as pd

    parts = plan_records(HubCorpus(name=str(folder), fields=FIELDS).load(), DocumentSettings(min_chars=1))
    places = {name: tmp_path / name for name in parts.digests}
    for place in places.values():
        place.mkdir()
    assert sorted(parts.write(places)) == sorted(places)
    found = pd.concat([pd.read_parquet(place / "records.parquet") for place in places.values()])
    assert sorted(found["doc_id"]) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert set(found["given_topic"]) == {"Games"}


def test_links_to_files_are_read_and_count_as_their_content(folder: Path, tmp_path: Path) -> None:
    for number, file in enumerate(sorted(folder.iterdir())):
        blob = file.rename(tmp_path / f"blob-{number}")
        file.symlink_to(f"../{blob.name}")
    before = HubCorpus(name=str(folder)).digest()
    assert len([row for shard in HubCorpus(name=str(folder)).load() for row in shard.rows()]) == 6
    (tmp_path / "blob-0").write_text('{"key": "x", "text": "y"}\n')
    assert HubCorpus(name=str(folder)).digest() != before


@pytest.mark.parametrize("link", ["sub", "deep/sub", "test"])
def test_a_linked_folder_is_refused_because_the_library_passes_over_it(
    folder: Path, tmp_path: Path, write_shard: Any, link: str
) -> None:
    write_shard(tmp_path / "elsewhere" / "train-c.jsonl", [{"key": "c", "text": "y"}])
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(tmp_path / "elsewhere")
    said = rf"{folder / link} is a link to a folder, whose files the datasets library passes over: put the folder"
    with pytest.raises(DatasetError, match=said) as caught:
        HubCorpus(name=str(folder)).load()
    assert isinstance(caught.value.__cause__, CorpusError)
    files = [str(file) for file in (folder / "train-a.jsonl", folder / link / "train-c.jsonl")]
    named = HubCorpus(name=str(folder), load_args={"data_files": files}).load()
    assert [row["key"] for shard in named for row in shard.rows()] == ["a0", "a1", "a2", "c"]


def test_a_link_that_leads_nowhere_is_named(folder: Path) -> None:
    (folder / "train-c.jsonl").symlink_to("nowhere")
    with pytest.raises(DatasetError, match=r"train-c\.jsonl is a link to nowhere, where nothing is: res") as caught:
        HubCorpus(name=str(folder)).load()
    assert isinstance(caught.value.__cause__, ArtifactError)


def test_its_version_is_its_content_or_its_revision(folder: Path, write_shard: Any) -> None:
    corpus = HubCorpus(name=str(folder))
    before = corpus.digest()
    write_shard(folder / "train-a.jsonl", [{"key": "x", "text": "y"}])
    changed = corpus.digest()
    assert changed != before
    assert HubCorpus(name=str(folder.rename(folder.with_name("moved")))).digest() == changed
    one, other = (HubCorpus(name="some/where", revision=revision).digest() for revision in ("v1", "v2"))
    assert one != other


def test_a_dataset_of_the_hub_needs_a_revision() -> None:
    with pytest.raises(CorpusError, match=r"some/where has no revision.*: give a commit or a tag"):
        HubCorpus(name="some/where")


def test_a_dataset_that_cannot_be_opened_is_named(folder: Path, refused: Any) -> None:
    with refused(CorpusError, f"the dataset {folder} cannot be opened", "split"):
        HubCorpus(name=str(folder), split="nothing").load()


def test_it_is_never_written(folder: Path, refused: Any) -> None:
    with refused(CorpusError, "is read, not written"):
        HubCorpus(name=str(folder)).save([])


@pytest.mark.parametrize("name", ["run[1]", "a*", "q?", "[!a]"])
def test_a_folder_of_any_name_is_itself(folder: Path, name: str) -> None:
    for neighbour in ("run1", "ab", "qa", "b"):
        (folder.with_name(neighbour)).mkdir()
        (folder.with_name(neighbour) / "train.jsonl").write_text('{"key": "next door", "text": "another"}\n')
    shards = HubCorpus(name=str(folder.rename(folder.with_name(name))), fields=FIELDS).load()
    assert sorted(row["key"] for shard in shards for row in shard.rows()) == ["a0", "a1", "a2", "b0", "b1", "b2"]
