"""Reading shards: every record once, in its place, and no damage goes unseen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.documents.shards import FIELDS, check_whole, find_shards, write_shards
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {"topic": "Games", "format": "FAQ", "topic_confidence": 0.75, "format_confidence": 1}
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst", ".parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    path.mkdir()
    return path


def test_missing_folder_is_named_with_the_fix(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(CorpusError, match=re.escape(f"no corpus at {missing}") + ".*--params corpus=DIR"):
        find_shards(missing)


def test_folder_without_shards_is_refused_with_the_endings_that_count(folder: Path) -> None:
    (folder / "readme.txt").write_text("none here")
    with pytest.raises(CorpusError, match=re.escape(f"no shard in {folder}") + r".*\.jsonl\.zst.*\.parquet"):
        find_shards(folder)


def test_shards_come_in_the_order_of_their_names_whatever_else_is_there(folder: Path) -> None:
    for name in ("b.jsonl", "a.parquet", "sub/c.jsonl.zst", "notes.md", "b.jsonl.part"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert [path.relative_to(folder).as_posix() for path in find_shards(folder)] == [
        "a.parquet",
        "b.jsonl",
        "sub/c.jsonl.zst",
    ]


def test_a_single_file_is_a_corpus(write_shard: Any, folder: Path, row: Any) -> None:
    path = write_shard(folder / "only.jsonl", [row("a")])
    write_shard(folder / "other.jsonl", [row("b")])
    assert find_shards(path) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_records(corpus_of: Any, row: Any, rows_of: Any, suffix: str) -> None:
    texts = {"a": "one\u2028line", "b": "zwölf\tBoxkämpfer", "c": 'say "hi"\r\n\\n', "d": "\U0001f600"}
    rows = [row(name, text, url=f"https://x.org/{name}", weborganizer=LABELS) for name, text in texts.items()]
    for place, got in enumerate(rows_of(corpus_of(rows, "part" + suffix)), start=1):
        name = "abcd"[place - 1]
        assert got == {
            "doc_id": name,
            "text": texts[name],
            "url": f"https://x.org/{name}",
            "source": "test",
            "given_topic": "Games",
            "given_format": "FAQ",
            "given_topic_confidence": 0.75,
            "given_format_confidence": 1.0,
            "shard": "part" + suffix,
            "row": place,
            "problem": None,
        }
    assert place == len(texts)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_a_record_may_lack_is_null(corpus_of: Any, rows_of: Any, suffix: str) -> None:
    (got,) = rows_of(corpus_of([{"id": 7, "text": "only what must be there"}], "a" + suffix))
    assert got["doc_id"] == "7"
    assert {got[name] for name in set(FIELDS) - {"doc_id", "text"}} == {None}


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_confidence_that_is_no_number_is_null(corpus_of: Any, row: Any, rows_of: Any, suffix: str) -> None:
    (got,) = rows_of(corpus_of([row("a", weborganizer={"topic_confidence": "high"})], "a" + suffix))
    assert got["given_topic_confidence"] is None


def test_fields_may_be_elsewhere(corpus_of: Any, rows_of: Any) -> None:
    fields = {"doc_id": "meta.key", "text": "content"}
    (got,) = rows_of(corpus_of([{"content": "hello", "meta": {"key": "k"}}], fields=FIELDS | fields))
    assert (got["doc_id"], got["text"]) == ("k", "hello")


def test_blank_lines_do_not_count_as_rows(corpus_of: Any, row: Any, rows_of: Any) -> None:
    got = rows_of(corpus_of(["", row("a"), "   ", "\r", row("b")]))
    assert [(one["doc_id"], one["row"]) for one in got] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
def test_a_shard_cut_anywhere_is_damaged(write_shard: Any, folder: Path, row: Any, suffix: str) -> None:
    whole = write_shard(folder / f"whole{suffix}", [row(str(i)) for i in range(20)])
    content = whole.read_bytes()
    check_whole(whole)
    cut = folder / f"cut{suffix}"
    for length in range(0, len(content), max(1, len(content) // 200)):
        cut.write_bytes(content[:length])
        with pytest.raises(CorpusError, match=re.escape(f"shard {cut} is damaged (") + ".*fetch it again"):
            check_whole(cut)


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
def test_a_damaged_shard_is_not_read(write_shard: Any, read_folder: Any, folder: Path, row: Any, suffix: str) -> None:
    path = write_shard(folder / f"a{suffix}", [row(str(i)) for i in range(2000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CorpusError, match=re.escape(f"shard {path} is damaged (")):
        read_folder(folder, max_malformed_share=0.9)


BAD_ROWS = {
    "oops": "not_json",
    '{"id": "b", "te': "not_json",
    '{"id": "b"} {"id": "c"}': "not_json",
    "null": "not_json",
    "[1, 2]": "no_id",
    '{"text": "hello"}': "no_id",
    '{"id": " ", "text": "hello"}': "no_id",
    '{"id": null, "text": "hello"}': "no_id",
    '{"id": "b"}': "no_text",
    '{"id": "b", "text": ""}': "no_text",
    '{"id": "b", "text": " \\n "}': "no_text",
    '{"id": "b", "text": ["hello"]}': "no_text",
}
SAID = {"not_json": "is not JSON", "no_id": "has no id", "no_text": "has no text"}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_record_that_cannot_be_used_is_named_and_quoted(corpus_of: Any, row: Any, tmp_path: Path, bad: str) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of([row("a"), bad, row("c")])
    assert str(caught.value) == (
        f"shard {tmp_path / 'corpus' / 'a.jsonl'}, row 2 {SAID[BAD_ROWS[bad]]}: {bad!r}; "
        f"mend it, or raise documents.max_malformed_share above 0.0 to put such records aside"
    )


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_record_put_aside_keeps_its_place_and_its_problem(corpus_of: Any, row: Any, bad: str) -> None:
    got = corpus_of([row("a"), bad, row("c")], max_malformed_share=0.5).order_by("row").to_pyarrow().to_pylist()
    assert [(one["row"], one["problem"]) for one in got] == [(1, None), (2, BAD_ROWS[bad]), (3, None)]
    assert [got[0]["doc_id"], got[2]["doc_id"]] == ["a", "c"]


def test_the_quoted_line_is_the_one_of_the_row(corpus_of: Any, row: Any) -> None:
    carriage_return = json.dumps(row("a")).replace(", ", ",\r")
    with pytest.raises(CorpusError, match=r"row 3 is not JSON: 'oops'; mend it"):
        corpus_of(["", carriage_return, "  ", row("b", "one\u2028line\x85more"), "oops"])


def test_a_long_record_is_cut_in_the_message(corpus_of: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of(["x" * 10_000])
    assert "row 1 is not JSON: 'xxxxx" in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_a_parquet_row_without_text_is_named(corpus_of: Any, row: Any) -> None:
    bad = row("b") | {"text": None}
    with pytest.raises(CorpusError, match=r"a\.parquet, row 2 has no text; mend it"):
        corpus_of([row("a"), bad], "a.parquet")


def test_a_parquet_shard_without_the_text_column_says_what_it_has(corpus_of: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of([{"id": "a", "body": "hello"}], "a.parquet")
    path = tmp_path / "corpus" / "a.parquet"
    assert str(caught.value) == f"shard {path} has no column 'text' for text: it has id, body"


def test_the_first_of_several_bad_records_is_named_and_the_others_counted(corpus_of: Any, row: Any) -> None:
    with pytest.raises(CorpusError, match=r"row 2 is not JSON: 'first' \(and 2 more of 5 records\)"):
        corpus_of([row("a"), "first", row("c"), "second", {"id": "e"}])


@pytest.mark.parametrize(("share", "fits"), [(0.25, True), (0.24, False)])
def test_the_malformed_share_is_a_limit_that_may_be_reached(corpus_of: Any, row: Any, share: float, fits: bool) -> None:
    rows = [row("a"), row("b"), "oops", row("c")]
    if fits:
        assert corpus_of(rows, max_malformed_share=share).count().execute() == 4
    else:
        with pytest.raises(CorpusError, match=r"row 3 is not JSON.*above 0\.24"):
            corpus_of(rows, max_malformed_share=share)


def test_a_record_over_several_lines_is_an_error_that_names_the_file(corpus_of: Any, row: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of([json.dumps(row("a"), indent=2)], max_malformed_share=0.9)
    assert str(caught.value).startswith(f"shard {tmp_path / 'corpus' / 'a.jsonl'} cannot be read (")
    assert str(caught.value).endswith("write one JSON object a line")


@pytest.mark.parametrize("count", [1, 3, 8])
def test_written_shards_give_back_what_was_dealt_out(
    folder: Path, read_folder: Any, row: Any, rows_of: Any, count: int
) -> None:
    rows = [row(f"{i}", f"text {i} \u2028 ü") for i in range(7)]
    write_shards(folder, rows, count)
    assert len(find_shards(folder)) == count
    assert [(one["doc_id"], one["text"]) for one in rows_of(read_folder(folder))] == [
        (one["id"], one["text"]) for one in rows
    ]
