"""A survey: a few shards stand for all, by their sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import find_shards
from social_provenance.documents.survey import describe_survey, survey
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = DocumentSettings(min_chars=2)


@pytest.fixture
def corpus(tmp_path: Path, write_shard: Any, row: Any) -> Path:
    for shard in range(6):
        write_shard(tmp_path / f"{shard}.jsonl", [*(row(f"{shard}{n}", "four") for n in range(9)), row("short", "x")])
    return tmp_path


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


def test_what_a_few_shards_have_is_scaled_to_all(corpus: Path, folder: Path) -> None:
    shards = find_shards(str(corpus))
    found = survey(shards, SETTINGS, look_at=2, texts=5, folder=folder)
    assert found["looked_at"] == ["0.jsonl", "3.jsonl"]
    assert (found["shards"], found["records"], found["fit"], found["chars"]) == (6, 60, 54, 216)
    assert found["bytes"] == sum(shard.size for shard in shards)
    assert found["texts"] == ["four"] * 5
    assert (found["scale"], found["bins"]) == (3.0, [])


def test_more_shards_than_there_are_is_all_of_them(corpus: Path, folder: Path) -> None:
    found = survey(find_shards(str(corpus)), SETTINGS, look_at=100, texts=1000, folder=folder)
    assert (len(found["looked_at"]), found["records"], len(found["texts"])) == (6, 60, 54)


def test_a_survey_that_finds_no_document_says_where_it_looked(corpus: Path, folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"no document is in .*0\.jsonl: raise plan\.shards"):
        survey(find_shards(str(corpus)), DocumentSettings(min_chars=500), look_at=1, texts=5, folder=folder)


def test_documents_with_both_labels_are_counted(tmp_path: Path, folder: Path, write_shard: Any, row: Any) -> None:
    both = {"weborganizer": {"topic": "Games", "format": "FAQ"}}
    one = {"weborganizer": {"topic": "Games"}}
    rows = [row("a", "long enough", **both), row("b", "x", **both), row("c", "long enough", **one)]
    write_shard(tmp_path / "a.jsonl", rows)
    found = survey(find_shards(str(tmp_path)), SETTINGS, look_at=1, texts=5, folder=folder)
    assert (found["records"], found["fit"], found["labelled"]) == (3, 2, 1)
    assert found["bins"] == [1]
    assert describe_survey({**found, "bytes": 2_500_000}) == (
        "1 shards, 2.5 MB: about 3 records, 2 of them documents (0.0 million characters), 1 of those with both labels"
    )
