"""A manifest holds for the corpus that it was drawn from, and for no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
import pytest

from social_provenance.documents.sampling import describe_sample, draw_working_set, list_sample
from social_provenance.documents.text import content_hash
from social_provenance.documents.verify_sample import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = [f"d{number}" for number in range(12)]


def table() -> pd.DataFrame:
    rows = [(name, content_hash(f"Text of {name}."), "games", "faq") for name in IDS]
    place = {"shard": "a.jsonl", "row": range(1, len(rows) + 1), "n_chars": 12}
    return pd.DataFrame(rows, columns=["doc_id", "content_hash", "topic", "format"]).assign(**place)


@pytest.fixture
def study(tmp_path: Path, write_shard: Callable[..., Path], row: Callable[..., Any]) -> Path:
    """Return a folder with a corpus, raw and labelled, and a sample of five with its contract."""
    corpus = table()
    corpus.to_parquet(tmp_path / "labelled.parquet")
    write_shard(tmp_path / "raw" / "a.jsonl.zst", [row(name, f"Text of {name}.") for name in IDS])
    labelled, documents = ibis.memtable(corpus), ibis.memtable(corpus[["doc_id"]].assign(text="x"))
    drawn = list_sample(draw_working_set(labelled, documents, 5, 42))
    drawn.to_parquet(tmp_path / "manifest.parquet")
    (tmp_path / "contract.json").write_text(json.dumps(describe_sample(drawn, labelled, 5, 42, 0)))
    return tmp_path


def check(study: Path, corpus: str = "labelled.parquet") -> int:
    return main([str(study / "manifest.parquet"), str(study / "contract.json"), str(study / corpus)])


@pytest.mark.parametrize("corpus", ["labelled.parquet", "raw"])
def test_a_sample_holds_for_its_own_corpus(study: Path, corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(study, corpus) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "the sample holds"
    assert "checked: every document has the text that was drawn" in said
    assert any("drawing again" in line for line in said) is (corpus != "raw")


def change_text(corpus: pd.DataFrame, drawn: str) -> pd.DataFrame:
    return corpus.assign(content_hash=corpus["content_hash"].where(corpus["doc_id"] != drawn, "other"))


def add_document(corpus: pd.DataFrame, drawn: str) -> pd.DataFrame:
    return pd.concat([corpus, corpus[corpus["doc_id"] == drawn].assign(doc_id="new")])


def drop_document(corpus: pd.DataFrame, drawn: str) -> pd.DataFrame:
    return corpus[corpus["doc_id"] != drawn]


def move_document(corpus: pd.DataFrame, drawn: str) -> pd.DataFrame:
    return corpus.assign(topic=corpus["topic"].where(corpus["doc_id"] != drawn, "health"))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (change_text, "not so: every document has the text that was drawn: 'd"),
        (drop_document, "not so: every document is in the corpus: 'd"),
        (move_document, "not so: drawing again gives the same documents in the same order: 'd"),
        (add_document, "not so: the corpus is the one that was drawn from"),
    ],
)
def test_another_corpus_is_found_out(
    study: Path, capsys: pytest.CaptureFixture[str], change: Callable[..., pd.DataFrame], finding: str
) -> None:
    drawn = pd.read_parquet(study / "manifest.parquet")["doc_id"].iloc[0]
    change(table(), drawn).to_parquet(study / "labelled.parquet")
    assert check(study) == 1
    assert finding in capsys.readouterr().out


def test_raw_shards_without_a_document_or_with_another_text_are_found_out(
    study: Path, write_shard: Callable[..., Path], row: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = pd.read_parquet(study / "manifest.parquet")["doc_id"].tolist()
    kept = [name for name in IDS if name != drawn[0]]
    write_shard(study / "raw/a.jsonl.zst", [row(name, f"Text of {name}{'!' * (name == drawn[1])}.") for name in kept])
    assert check(study, "raw") == 1
    said = capsys.readouterr().out
    assert f"not so: every document is in the corpus: {drawn[0]!r}" in said
    assert f"not so: every document has the text that was drawn: {drawn[1]!r}" in said


def test_a_manifest_that_was_edited_is_found_out(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study / "manifest.parquet"
    pd.read_parquet(path)[1:].to_parquet(path)
    assert check(study) == 1
    assert "not so: the manifest is that of the contract" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("manifest.parquet", None, "there is no manifest"),
        ("contract.json", None, "there is no contract"),
        ("contract.json", "{}", "was drawn by another rule"),
        ("labelled.parquet", None, "there is no corpus at"),
    ],
)
def test_a_file_that_is_missing_or_another_is_named(
    study: Path, capsys: pytest.CaptureFixture[str], file: str, content: str | None, said: str
) -> None:
    (study / file).unlink()
    if content is not None:
        (study / file).write_text(content)
    with pytest.raises(SystemExit) as ended:
        check(study)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
