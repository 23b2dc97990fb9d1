"""Records: every row once, in its place, judged on its own; damage and trouble never go unseen."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from social_provenance.documents.fields import FIELDS
from social_provenance.documents.quality import REASONS
from social_provenance.documents.records import COLUMNS, RECORDS, Tally, check_damage, plan_records, write_records
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import find_shards
from social_provenance.errors import CorpusError

LABELS = {"topic": "Games", "format": "FAQ", "topic_confidence": 0.75, "format_confidence": 1}
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst", ".parquet")
SETTINGS = DocumentSettings(min_chars=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "corpus"
    path.mkdir()
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_records(corpus_of: Any, row: Any, rows_of: Any, suffix: str) -> None:
    texts = {"a": "one\u2028line", "b": "zwölf\tBoxkämpfer", "c": 'say "hi"\n\\n', "d": "\U0001f600"}
    rows = [row(name, text, url=f"https://x.org/{name}", weborganizer=LABELS) for name, text in texts.items()]
    found = rows_of(corpus_of(rows, "part" + suffix))
    assert [one["row"] for one in found] == [1, 2, 3, 4]
    for got in found:
        name = got["doc_id"]
        assert {column: got[column] for column in COLUMNS if column not in ("row", "content_hash")} == {
            "doc_id": name,
            "text": texts[name],
            "url": f"https://x.org/{name}",
            "site": "x.org",
            "source": "test",
            "given_topic": "Games",
            "given_format": "FAQ",
            "given_topic_confidence": 0.75,
            "given_format_confidence": 1.0,
            "shard": "part" + suffix,
            "n_chars": len(texts[name]),
            "signature": None,
            "bands": None,
            "reason": None,
        }


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_a_record_may_lack_is_null(corpus_of: Any, rows_of: Any, suffix: str) -> None:
    (got,) = rows_of(corpus_of([{"id": 7, "text": "only what must be there"}], "a" + suffix))
    assert got["doc_id"] == "7"
    assert {got[name] for name in set(FIELDS) - {"doc_id", "text"}} == {None}


def test_fields_may_be_elsewhere(corpus_of: Any, rows_of: Any) -> None:
    fields = {"doc_id": "meta.key", "text": "content"}
    (got,) = rows_of(corpus_of([{"content": "hello", "meta": {"key": "k"}}], fields=fields))
    assert (got["doc_id"], got["text"]) == ("k", "hello")


def test_blank_lines_do_not_count_as_rows(corpus_of: Any, row: Any, rows_of: Any) -> None:
    got = rows_of(corpus_of(["", row("a"), "   ", "\r", row("b")]))
    assert [(one["doc_id"], one["row"]) for one in got] == [("a", 1), ("b", 2)]


BAD_ROWS = {
    "oops": "not_json",
    '{"id": "b", "n": -Infinity}': "not_json",
    '\ufeff{"id": "b", "text": "hello"}': "not_json",
    '{"id": "b", "te': "not_json",
    '{"id": "b"} {"id": "c"}': "not_json",
    "null": "not_json",
    "[1, 2]": "not_json",
    '{"text": "hello"}': "no_id",
    '{"id": " ", "text": "hello"}': "no_id",
    '{"id": null, "text": "hello"}': "no_id",
    '{"id": true, "text": "hello"}': "no_id",
    '{"id": 1e30, "text": "hello"}': "no_id",
    '{"id": "b"}': "no_text",
    '{"id": "b", "text": null}': "no_text",
    '{"id": "b", "text": ""}': "no_text",
    '{"id": "b", "text": " \\n\\u00a0 "}': "no_text",
    '{"id": "b", "text": ["hello"]}': "no_text",
}
CAUSES = dict(
    zip(
        BAD_ROWS,
        (
            "oops is not JSON, column 1",
            "-Infinity is not JSON, column 18",
            "it starts with a byte-order mark: save the file as UTF-8 without one",
            "unexpected end of data, column 16",
            "unexpected content after document, column 13",
            "it is null",
            "it is a list",
        ),
        strict=False,
    )
)
KIND = "must be text or a whole number of at most 64 bits"
CAUSES |= {
    '{"id": true, "text": "hello"}': f"id True {KIND}",
    '{"id": 1e30, "text": "hello"}': f"id 1e+30 {KIND}",
    '{"id": "b", "text": ["hello"]}': f"text ['hello'] {KIND}",
}
SAID = {"not_json": "is not a JSON object", "no_id": "has no id", "no_text": "has no text"}
ELSEWHERE = "name its place in raw_documents.fields.{} in the catalog, "
FIXES = {"not_json": "", "no_id": ELSEWHERE.format("doc_id"), "no_text": ELSEWHERE.format("text")}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_record_that_cannot_be_used_is_named_and_quoted(corpus_of: Any, row: Any, tmp_path: Path, bad: str) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of([row("a"), bad, row("c")])
    problem = BAD_ROWS[bad]
    cause = f" ({CAUSES[bad]})" if bad in CAUSES else ""
    shown = bad if problem == "not_json" else json.loads(bad)
    assert str(caught.value) == (
        f"shard {tmp_path / 'corpus' / 'a.jsonl'}, row 2 {SAID[problem]}{cause}: {shown!r}; "
        f"fix it, {FIXES[problem]}or raise documents.max_malformed_share above 0.0 to set such records aside"
    )


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_record_put_aside_keeps_its_place_and_its_problem(corpus_of: Any, row: Any, bad: str) -> None:
    got = corpus_of([row("a"), bad, row("c")], max_malformed_share=0.5).order_by("row").to_pyarrow().to_pylist()
    assert [(one["row"], one["reason"]) for one in got] == [(1, None), (2, BAD_ROWS[bad]), (3, None)]
    assert [got[0]["doc_id"], got[2]["doc_id"]] == ["a", "c"]


def test_the_fault_of_a_long_line_is_shown(corpus_of: Any, row: Any) -> None:
    bad = json.dumps(row("b", "x" * 500, score=float("nan"), more="y" * 500))
    with pytest.raises(CorpusError, match=r"\(NaN is not JSON, column 565\): '…[^']*\"score\": NaN, \"more\".*…; fix"):
        corpus_of([bad])


LABELLED = {"topic": "Games", "topic_confidence": 0.5}


@pytest.mark.parametrize("value", ["high", 17.5, -0.1, [0.1, 0.2]])
def test_a_value_without_a_plain_meaning_is_named_and_never_lost(
    corpus_of: Any, row: Any, tmp_path: Path, value: Any
) -> None:
    rows = [row("a"), row("b", weborganizer=LABELLED | {"topic_confidence": value}), row("c", weborganizer=LABELLED)]
    with pytest.raises(CorpusError) as caught:
        corpus_of(rows)
    assert str(caught.value).startswith(
        f"shard {tmp_path / 'corpus/a.jsonl'}, topic_confidence {value!r} of document 'b', row 2: must be "
    )
    assert "between 0 and 1; fix it, name its place in raw_documents.fields.given_topic_conf" in str(caught.value)
    got = corpus_of(rows, max_malformed_share=0.5).order_by("row").to_pyarrow().to_pylist()
    assert [one["reason"] for one in got] == [None, "unreadable_field", None]
    assert [one["given_topic_confidence"] for one in got] == [None, None, 0.5]


CLASSIFIED: list[dict[str, Any]] = [
    {"id": "a", "text": "one", "url": "https://a.org", "p": {"Games": 0.6, "Health": 0.3}},
    {"id": "b", "text": "two", "url": None, "p": {"Literature": 0.7, "Games": 0.2}},
    {"id": "c", "text": "three", "url": "https://c.org", "p": None},
]
SHAPES: dict[str, Any] = {
    "structure": None,
    "map": pa.map_(pa.string(), pa.float64()),
    "decimal": pa.map_(pa.string(), pa.decimal128(3, 2)),
    "text": pa.string(),
}


def shaped(chances: dict[str, float] | None, shape: str) -> Any:
    if chances is None or shape == "structure":
        return chances
    if shape == "text":
        return json.dumps(chances)
    return [(label, Decimal(str(value)) if shape == "decimal" else value) for label, value in chances.items()]


@pytest.mark.parametrize("shape", ["jsonl", *SHAPES])
def test_the_same_rows_have_the_same_labels_in_any_file_format(
    folder: Path, write_shard: Any, read_folder: Any, rows_of: Any, shape: str
) -> None:
    if shape == "jsonl":
        write_shard(folder / "a.jsonl", CLASSIFIED)
    else:
        table = pa.Table.from_pylist([{name: one[name] for name in ("id", "text", "url")} for one in CLASSIFIED])
        column = pa.array([shaped(one["p"], shape) for one in CLASSIFIED], type=SHAPES[shape])
        pq.write_table(table.append_column("p", column), folder / "a.parquet")
    got = rows_of(read_folder(folder, fields={"given_topic": "p", "given_topic_confidence": "p", "url": "url"}))
    assert [(one["given_topic"], one["given_topic_confidence"], one["url"]) for one in got] == [
        ("Games", 0.6, "https://a.org"),
        ("Literature", 0.7, None),
        (None, None, "https://c.org"),
    ]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_flat_columns_with_dots_and_metadata_as_text_are_read(
    folder: Path, write_shard: Any, read_folder: Any, rows_of: Any, suffix: str
) -> None:
    inner = {"url": "https://x.org/b", "weborganizer": {"topic": "Games", "format": "FAQ", "topic_confidence": "0.3"}}
    flat = {f"metadata.weborganizer.{name}": value for name, value in inner["weborganizer"].items()}  # type: ignore[attr-defined]
    write_shard(folder / f"a.{suffix}", [{"id": "a", "text": "one", "metadata.url": inner["url"]} | flat])
    write_shard(folder / f"b.{suffix}", [{"id": "b", "text": "two", "metadata": json.dumps(inner)}])
    for one in rows_of(read_folder(folder)):
        found = [one[name] for name in ("url", "given_topic", "given_format", "given_topic_confidence")]
        assert found == ["https://x.org/b", "Games", "FAQ", 0.3]


def test_bytes_that_are_no_utf8_are_a_problem_of_their_record_alone(folder: Path, read_folder: Any, row: Any) -> None:
    lines = [json.dumps(row("a")).encode(), b'{"id": "b", "text": "caf\xe9"}', json.dumps(row("c")).encode()]
    (folder / "a.jsonl").write_bytes(b"\n".join(lines))
    with pytest.raises(CorpusError, match=r"row 2 is not UTF-8 \(byte 25\): .*fix it"):
        read_folder(folder)
    records = read_folder(folder, max_malformed_share=0.5).order_by("row").execute()
    assert records["reason"].fillna("").tolist() == ["", "not_utf8", ""]


def test_a_long_record_is_cut_in_the_message(corpus_of: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus_of(["x" * 10_000])
    assert "row 1 is not a JSON object (xxxxxxxxxxxxxxxx is not JSON, column 1): 'xxxxx" in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jsonl.zst", ".parquet"])
def test_a_document_of_fifty_megabytes_is_judged_and_not_kept(
    corpus_of: Any, row: Any, rows_of: Any, suffix: str
) -> None:
    rows = [row("a"), row("b", "word " * 10_000_000), row("c")]
    got = rows_of(corpus_of(rows, "a" + suffix, max_chars=1_000_000))
    assert [one["reason"] for one in got] == [None, "too_long", None]
    assert (got[1]["text"], got[1]["n_chars"]) == (None, 49_999_999)
    kept = rows_of(corpus_of(rows, "a" + suffix, max_chars=100_000_000))
    assert len(kept[1]["text"]) == 49_999_999


def test_a_parquet_row_without_text_is_named(corpus_of: Any, row: Any) -> None:
    bad = row("b") | {"text": None}
    with pytest.raises(CorpusError, match=r"a\.parquet, row 2 has no text"):
        corpus_of([row("a"), bad], "a.parquet")


def test_the_first_of_several_bad_records_is_named_and_the_others_counted(corpus_of: Any, row: Any) -> None:
    with pytest.raises(CorpusError, match=r"row 2 is not a JSON object \(.*\): 'first' \(and 2 more of 5 records\)"):
        corpus_of([row("a"), "first", row("c"), "second", {"id": "e"}])


@pytest.mark.parametrize(("share", "fits"), [(0.25, True), (0.24, False)])
def test_the_malformed_share_is_a_limit_that_may_be_reached(corpus_of: Any, row: Any, share: float, fits: bool) -> None:
    rows = [row("a"), row("b"), "oops", row("c")]
    if fits:
        assert corpus_of(rows, max_malformed_share=share).count().execute() == 4
    else:
        with pytest.raises(CorpusError, match=r"row 3 is not a JSON object.*above 0\.24"):
            corpus_of(rows, max_malformed_share=share)


def test_too_long_too_short_and_poor_texts_keep_their_reason_and_lose_their_text(corpus_of: Any, row: Any) -> None:
    rows = [row("a", "x"), row("b", "y" * 99), row("c", "Few words here."), row("d", "{}" * 40)]
    found = corpus_of(rows, min_chars=2, max_chars=90, quality={}).order_by("row").execute()
    assert found["reason"].tolist() == ["too_short", "too_long", "few_words", "few_words"]
    assert set(found["reason"][2:]) <= set(REASONS)
    assert found["text"].isna().all()


def test_only_documents_are_signed(corpus_of: Any, row: Any) -> None:
    settings = {"near_duplicates": {"permutations": 64}, "min_chars": 5}
    found = corpus_of([row("a"), row("b", "x")], **settings).order_by("row").execute()
    assert [None if value is None else len(value) for value in found["signature"]] == [256, None]
    assert len(found["bands"][0]) > 1


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_a_damaged_shard_ends_the_run(
    write_shard: Any, read_folder: Any, folder: Path, row: Any, suffix: str, left: float
) -> None:
    path = write_shard(folder / f"a{suffix}", [row(str(i)) for i in range(2000)])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])
    with pytest.raises(CorpusError, match=re.escape(f"shard {path} is damaged (") + ".*fetch it again or take it out"):
        read_folder(folder, max_malformed_share=0.9)


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
def test_a_damaged_shard_is_put_aside_whole_where_that_is_allowed(
    write_shard: Any, read_folder: Any, folder: Path, row: Any, suffix: str
) -> None:
    write_shard(folder / "good.jsonl", [row("good")])
    path = write_shard(folder / f"bad{suffix}", [row(str(i)) for i in range(20_000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = read_folder(folder, max_damaged_share=0.5).execute()
    assert sorted(found["reason"].fillna("")) == ["", "damaged_shard"]
    assert found.loc[found["reason"].notna(), "shard"].tolist() == [path.name]
    assert found["row"].min() >= 1


def test_damage_beyond_the_allowed_share_names_the_first_and_counts_the_others() -> None:
    check_damage({"a": "cut", "b": "cut"}, shards=4, allowed=0.5)
    with pytest.raises(CorpusError, match=r"shard a is damaged \(cut\) \(and 2 more of 4 shards\).*above 0\.5"):
        check_damage({"a": "cut", "b": "cut", "c": "cut"}, shards=4, allowed=0.5)


def test_a_shard_that_vanished_after_it_was_listed_is_named(write_shard: Any, folder: Path, row: Any) -> None:
    path = write_shard(folder / "a.jsonl.zst", [row("a")])
    (shard,) = find_shards(str(folder))
    path.unlink()
    with pytest.raises(CorpusError, match=re.escape(f"shard {path} has disappeared")):
        write_records(shard, SETTINGS, folder)


def test_a_shard_is_another_part_once_its_content_place_of_fields_or_rules_change(
    write_shard: Any, folder: Path, row: Any
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_shard(folder / name, [row(name)])
    plan = partial(lambda settings: plan_records(find_shards(str(folder)), settings).digests)
    first, again = plan(SETTINGS), plan(SETTINGS)
    assert first == again
    assert set(plan(SETTINGS.model_copy(update={"max_damaged_share": 0.5})).values()) == set(first.values())
    assert not set(plan(DocumentSettings(min_chars=2)).values()) & set(first.values())
    write_shard(folder / "b.jsonl", [row("c")])
    write_shard(folder / "0.jsonl", [row("d")])
    later = plan(SETTINGS)
    assert [name for name in first if later[name] == first[name]] == [name for name in first if name.startswith("a")]
    assert len(later) == 3


def test_shards_are_read_by_whoever_spreads_them_and_come_as_they_are_done(
    write_shard: Any, folder: Path, row: Any, tmp_path: Path
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write_shard(folder / name, [row(name)])
    parts = plan_records(find_shards(str(folder)), SETTINGS)
    waiting = {name: tmp_path / name for name in parts.digests}
    for own in waiting.values():
        own.mkdir()

    def backwards(tasks: Any) -> Any:
        for name in reversed(list(tasks)):
            yield name, tasks[name]()

    assert list(parts.write(waiting, spread=backwards)) == list(reversed(waiting))  # type: ignore[call-arg]
    assert all((own / RECORDS).exists() for own in waiting.values())


def test_a_tally_counts_what_a_shard_had(write_shard: Any, folder: Path, row: Any) -> None:
    write_shard(folder / "a.jsonl", [row("a", "four"), row("b", "x"), row("c", "seven77")])
    (shard,) = find_shards(str(folder))
    assert write_records(shard, DocumentSettings(min_chars=2), folder) == Tally(records=3, fit=2, chars=11)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = ("id", "text", "source", "metadata", "metadata.url", "url", "weborganizer", "topic", "topic_confidence")
ROWS = st.dictionaries(
    st.sampled_from(NAMES), JSON | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4), max_size=5
)
ALLOWED = 0.9999


def count(path: Path, settings: DocumentSettings) -> tuple[Tally, list[dict[str, Any]]] | None:
    """Return the tally of a shard and its records; None if it was refused in one line."""
    (shard,) = find_shards(str(path))
    target = path.parent / "records"
    target.mkdir(exist_ok=True)
    try:
        tally = write_records(shard, settings, target)
    except CorpusError as refused:
        if "\n" in str(refused):
            raise AssertionError("more than one line") from refused
        return None
    records: list[dict[str, Any]] = pq.read_table(target / RECORDS).to_pylist()
    assert tally.records == len(records)
    assert tally.fit == sum(one["reason"] is None for one in records)
    return tally, records


@given(st.lists(ROWS, min_size=1, max_size=4))
@settings(deadline=None)
def test_any_json_in_any_field_is_read_or_counted(rows: list[dict[str, Any]]) -> None:
    rows = [{"id": "good", "text": "a good one"}] * 3 + rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        found = count(path, DocumentSettings(min_chars=1, max_malformed_share=ALLOWED))
        assert found is not None
        assert found[0].records == len(rows)
        for raw, record in zip(rows, found[1], strict=True):
            given = raw.get("metadata.url")
            if record["reason"] is None and isinstance(given, str) and given and "metadata" not in raw:
                assert record["url"] == given


@given(st.lists(ROWS, min_size=1, max_size=4))
@settings(deadline=None)
def test_rows_of_a_table_are_the_same_as_lines(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = pa.Table.from_pylist([{"id": "good", "text": "a good one"}, *rows])
            pq.write_table(table, Path(folder) / "a.parquet")
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError):
            return  # Arrow has no type for such a column
        lines = [json.dumps(one, default=repr) for one in table.to_pylist()]
        (Path(folder) / "b.jsonl").write_text("".join(f"{line}\n" for line in lines))
        if "NaN" in "".join(lines) or "Infinity" in "".join(lines):
            return  # there are no such lines
        lenient = DocumentSettings(min_chars=1, max_malformed_share=ALLOWED)
        both = [count(path, lenient) for path in (Path(folder) / "a.parquet", Path(folder) / "b.jsonl")]
        assert both[0] is not None
        assert both[1] is not None
        one, other = ([record | {"shard": ""} for record in found[1]] for found in both if found)
        assert one == other


@given(st.binary(), st.sampled_from(SUFFIXES), st.booleans())
@example(b"\x0b", ".jsonl", False)  # a blank for Python, and none for JSON
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes, suffix: str, packed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        good = b'{"id": "good", "text": "a good one"}\n'
        packers = {".gz": gzip.compress, ".zst": zstd.compress} if packed else {}
        path.write_bytes(packers.get(path.suffix, bytes)(good + content if path.suffix != ".parquet" else content))
        found = count(path, DocumentSettings(min_chars=1, max_malformed_share=ALLOWED))
        if found and not found[0].damage:
            assert found[0].records == sum(bool(line.strip(b" \t\r")) for line in (good + content).split(b"\n"))


@given(
    st.integers(0, 10_000), st.binary(min_size=1, max_size=3), st.sampled_from((".jsonl.zst", ".jsonl.gz", ".parquet"))
)
@example(1072, b"\x80", ".parquet")  # in the name of a column
@example(1072, b"\n", ".parquet")
@settings(deadline=None)
def test_a_file_with_bytes_changed_is_read_or_refused_in_one_line(at: int, change: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        rows = [{"id": f"d{i}", "text": f"text {i}", "metadata": {"url": f"https://x.org/{i}"}} for i in range(50)]
        lines = "".join(json.dumps(one) + "\n" for one in rows).encode()
        if suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        else:
            path.write_bytes((gzip.compress if suffix.endswith("gz") else zstd.compress)(lines))
        content = path.read_bytes()
        place = at % len(content)
        path.write_bytes(content[:place] + change + content[place + len(change) :])
        count(path, DocumentSettings(min_chars=1, max_malformed_share=ALLOWED))
