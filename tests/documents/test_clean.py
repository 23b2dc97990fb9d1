"""Cleaning: each record ends as one document or one rejection, wherever and in whatever order it stood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.documents.clean import REASONS, clean, count_corpus
from social_provenance.documents.settings import DocumentSettings
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = DocumentSettings()


def judge(records: Any) -> tuple[list[str], dict[str, str]]:
    """Return the ids of the documents and id -> reason of the rejected."""
    corpus = clean(records, SETTINGS)
    rejected = corpus.rejected.to_pyarrow().to_pylist()
    return sorted(corpus.documents.doc_id.to_pyarrow().to_pylist()), {one["doc_id"]: one["reason"] for one in rejected}


def test_lengths_are_bounds_that_may_be_reached_in_characters(corpus_of: Any, row: Any) -> None:
    rows = [row("a", "12"), row("b", "äöü"), row("c", " 12345 "), row("d", "123456")]
    assert judge(corpus_of(rows, min_chars=3, max_chars=5)) == (["b", "c"], {"a": "too_short", "d": "too_long"})


def test_of_equal_texts_the_smallest_id_stays(corpus_of: Any, row: Any) -> None:
    records = corpus_of([row("c", "The cat."), row("b", "the  CAT."), row("a", "A dog."), row("d", "The cat.\n")])
    assert judge(records) == (["a", "b"], {"c": "duplicate_text", "d": "duplicate_text"})


def test_a_rejected_text_makes_no_duplicate(corpus_of: Any, row: Any) -> None:
    records = corpus_of([row("a", "abc" * 10), row("b", "abc"), row("c", "ABC")], max_chars=9)
    assert judge(records) == (["b"], {"a": "too_long", "c": "duplicate_text"})


def test_an_id_with_two_texts_is_refused_with_both_places(
    write_shard: Any, read_folder: Any, row: Any, tmp_path: Path
) -> None:
    write_shard(tmp_path / "x.jsonl", [row("a"), row("b")])
    write_shard(tmp_path / "y" / "z.parquet", [row("c"), row("d"), row("b", "Another text.")])
    with pytest.raises(CorpusError) as caught:
        clean(read_folder(tmp_path), SETTINGS)
    assert (
        str(caught.value)
        == "id 'b' has two texts, in x.jsonl row 2 and y/z.parquet row 3: give every document a unique id"
    )


def test_a_document_that_comes_twice_is_a_duplicate(corpus_of: Any, row: Any) -> None:
    corpus = clean(corpus_of([row("a"), row("b"), row("a")]), SETTINGS)
    assert sorted(corpus.documents.select("doc_id", "row").execute().itertuples(index=False)) == [("a", 1), ("b", 2)]
    assert corpus.rejected.select("doc_id", "row", "reason").execute().to_numpy().tolist() == [
        ["a", 3, "duplicate_text"]
    ]


def test_records_without_an_id_are_no_duplicates_of_each_other(corpus_of: Any, row: Any) -> None:
    nameless = [{"id": "", "text": "x"}, {"id": "", "text": "y"}, {"text": "z"}, {"text": "z"}]
    corpus = clean(corpus_of([row("a"), *nameless], max_malformed_share=0.9), SETTINGS)
    assert corpus.documents.count().execute() == 1
    assert corpus.rejected.reason.to_pyarrow().to_pylist() == ["no_id"] * 4


def test_a_corpus_without_a_record_is_not_blamed_on_the_parameters(corpus_of: Any) -> None:
    with pytest.raises(CorpusError, match=r"^no shard has a record: give shards that are not empty"):
        clean(corpus_of([]), SETTINGS)
    with pytest.raises(
        CorpusError, match=r"no document remains of 1 records \({'too_short': 1}\): check the documents"
    ):
        clean(corpus_of([{"id": "a", "text": "short"}], min_chars=50), SETTINGS)


def test_every_record_ends_on_one_side_and_the_counts_add_up(corpus_of: Any, row: Any) -> None:
    rows = [
        row("a"),
        "oops",
        {"id": "c"},
        {"text": "no id"},
        row("e", "short"),
        row("f", "long " * 99),
        row("g"),
        row("h"),
    ]
    rows[-1]["text"] = rows[0]["text"]
    records = corpus_of(rows, max_malformed_share=0.5, min_chars=10, max_chars=100)
    corpus = clean(records, SETTINGS)
    summary = count_corpus(records, corpus.documents, corpus.rejected, 0.0)
    assert summary == {
        "shards": 1,
        "damaged_shards": [],
        "records": 8,
        "documents": 2,
        "rejected": dict.fromkeys(("not_json", "no_id", "no_text", "too_short", "too_long", "duplicate_text"), 1),
    }
    assert set(summary["rejected"]) <= set(REASONS)
    places = [*corpus.documents.row.to_pyarrow().to_pylist(), *corpus.rejected.row.to_pyarrow().to_pylist()]
    assert sorted(places) == list(range(1, 9))


def test_counts_that_do_not_add_up_are_refused(corpus_of: Any, row: Any) -> None:
    records = corpus_of([row("a"), row("b"), row("c", "x")], min_chars=5)
    corpus = clean(records, SETTINGS)
    with pytest.raises(CorpusError, match=r"3 records became 1 documents and \{'too_short': 1\}.*this is a bug"):
        count_corpus(records, corpus.documents.limit(1), corpus.rejected, 0.0)


@pytest.mark.parametrize(
    ("options", "dropped"),
    [
        ({"min_chars": 500}, {"too_short": 3}),
        ({"max_chars": 5}, {"too_long": 3}),
        ({"min_chars": 35, "max_chars": 36}, {"too_long": 1, "too_short": 2}),
        ({"quality": {}}, {"few_words": 3}),
    ],
)
def test_a_corpus_of_which_nothing_is_left_is_refused_before_a_table_is_returned(
    corpus_of: Any, row: Any, options: dict[str, Any], dropped: dict[str, int]
) -> None:
    records = corpus_of([row("a"), row("b"), row("c", "A longer text of a document c, of one line.")], **options)
    said = f"no document remains of 3 records ({dropped}): check the documents parameters"
    with pytest.raises(CorpusError, match=re.escape(said)):
        clean(records, SETTINGS)


CONTENT = (
    "doc_id text url source n_chars content_hash cluster_id given_topic given_format given_topic_confidence".split()
)
ARRANGEMENTS = {
    "four shards": {f"{i}.jsonl": slice(i, None, 4) for i in range(4)},
    "reversed": {"a.jsonl.zst": slice(None, None, -1)},
    "parquet": {"a.parquet": slice(None)},
    "mixed": {"b/a.parquet": slice(0, 5), "a.jsonl.gz": slice(5, None)},
}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_documents_do_not_depend_on_how_the_shards_are_cut(
    write_shard: Any, read_folder: Any, row: Any, rows_of: Any, tmp_path: Path, name: str
) -> None:
    rows = [
        row(
            f"d{i}",
            f"Text {i % 9} with\r\na line.",
            url=f"https://www.Site{i % 3}.org/{i}",
            weborganizer={"topic": "Games"},
        )
        for i in range(12)
    ]
    write_shard(tmp_path / "one" / "a.jsonl", rows)
    for file, part in ARRANGEMENTS[name].items():
        write_shard(tmp_path / "other" / file, rows[part])
    one, other = (clean(read_folder(tmp_path / folder), SETTINGS) for folder in ("one", "other"))
    assert rows_of(one.documents.select(*CONTENT)) == rows_of(other.documents.select(*CONTENT))
    assert rows_of(one.rejected.select("doc_id", "reason")) == rows_of(other.rejected.select("doc_id", "reason"))
    assert one.documents.count().execute() == 9


@pytest.mark.parametrize(
    ("url", "cluster"),
    [
        ("https://www.Example.org/a/b", "example.org"),
        ("http://example.org:8080?q=1", "example.org"),
        ("https://news.example.org#top", "news.example.org"),
        ("example.org/a", "example.org"),
        ("urn:uuid:1234", "a"),
        (None, "a"),
    ],
)
def test_documents_of_one_site_are_one_cluster(corpus_of: Any, row: Any, url: str | None, cluster: str) -> None:
    documents = clean(corpus_of([row("a", url=url)]), SETTINGS).documents
    assert documents.cluster_id.execute().tolist() == [cluster]


@pytest.mark.slow
def test_every_real_page_ends_on_one_side(shared_data: Path, read_folder: Any) -> None:
    settings = DocumentSettings.model_validate({"quality": {}, "near_duplicates": {}})
    records = read_folder(shared_data / "webpages", **settings.model_dump())
    corpus = clean(records, settings)
    summary = count_corpus(records, corpus.documents, corpus.rejected, 0.0)
    assert summary["records"] == 5267
    assert summary["documents"] > 5000
    assert corpus.documents.doc_id.nunique().execute() == summary["documents"]
