"""Rows of files: streamed, none dropped, and a file that is not whole raises."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from social_provenance.documents import rows
from social_provenance.documents.rows import Broken, Damage, json_rows, parquet_rows

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> list[Any]:
    return list(parquet_rows(str(path)) if path.suffix == ".parquet" else json_rows(str(path)))


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz", ".parquet"])
def test_a_file_cut_anywhere_is_damaged(write_shard: Any, tmp_path: Path, row: Any, suffix: str) -> None:
    content = write_shard(tmp_path / f"whole{suffix}", [row(str(i)) for i in range(20)]).read_bytes()
    cut = tmp_path / f"cut{suffix}"
    for length in range(0, len(content), max(1, len(content) // 200)):
        cut.write_bytes(content[:length])
        with pytest.raises(Damage):
            read(cut)


@pytest.mark.parametrize("suffix", [".jsonl.zst", ".jsonl.gz"])
def test_files_that_were_joined_are_read_to_their_end(write_shard: Any, tmp_path: Path, row: Any, suffix: str) -> None:
    parts = [write_shard(tmp_path / f"{name}{suffix}", [row(name)]).read_bytes() for name in "abc"]
    joined = tmp_path / f"joined{suffix}"
    joined.write_bytes(b"".join(parts))
    assert [one["id"] for one in read(joined)] == ["a", "b", "c"]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lines_do_not_depend_on_where_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    lines = [json.dumps({"id": name, "text": "ü" * 30}, ensure_ascii=False) for name in "abc"]
    path = tmp_path / "a.jsonl"
    path.write_text("\n\n".join(lines))
    monkeypatch.setattr(rows, "BLOCK", block)
    assert [one["id"] for one in read(path)] == ["a", "b", "c"]


def test_only_a_newline_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a",\r "text": "one\u2028line\x85more"}\r\n{"id": "b"}\n', newline="")
    assert [one["id"] for one in read(path)] == ["a", "b"]


def test_what_is_no_object_keeps_its_place_and_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1}\noops\n[]\n"caf\xe9"\n{"id": 2}')
    found = read(path)
    assert found == [
        {"id": 1},
        Broken("not_json", b"oops"),
        Broken("not_json", b"[]"),
        Broken("not_utf8", b'"caf\xe9"'),
        {"id": 2},
    ]


def test_only_columns_that_are_asked_for_are_read(write_shard: Any, tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", [{"id": "a", "text": "b", "more": "c"}])
    assert list(parquet_rows(str(path), roots=(("doc_id", "id"), ("", "text", "absent")))) == [{"id": "a", "text": "b"}]


def test_a_required_column_that_is_missing_is_named_beside_what_there_is(write_shard: Any, tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", [{"id": "a", "body": "b"}])
    with pytest.raises(rows.CorpusError) as caught:
        list(parquet_rows(str(path), roots=(("doc_id", "id"), ("text", "text"))))
    assert str(caught.value) == (
        f"shard {path} has no column 'text' for text: it has id, body; name the right one in "
        f"raw_documents.fields.text in the catalog"
    )


@pytest.mark.parametrize("content", [b"not compressed", gzip.compress(b"{}", mtime=0)[:-1]])
def test_wrong_bytes_are_damage_and_not_a_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(Damage):
        read(path)


def test_what_the_system_refuses_is_not_damage(
    write_shard: Any, tmp_path: Path, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(tmp_path / "a.jsonl", [row("a")])

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pa, "OSFile", refuse)
    with pytest.raises(rows.CorpusError, match=r"cannot be read \(.*Permission denied.*finished shards are kept"):
        read(path)


def test_zstd_without_content_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    with pa.output_stream(str(path), compression="zstd") as stream:
        for _ in range(1000):
            stream.write(b'{"id": "a"}\n')
            stream.flush()
    assert len(read(path)) == 1000


@pytest.mark.parametrize("window", [27, 28, 31])
def test_zstd_is_read_whatever_its_window(tmp_path: Path, window: int) -> None:
    path = tmp_path / "a.jsonl.zst"
    with zstd.open(path, "wb", options={zstd.CompressionParameter.window_log: window}) as stream:
        stream.write(b'{"id": "a"}\n' * 10)
    assert len(read(path)) == 10


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    text = pa.array(["one"])
    inner = pa.StructArray.from_arrays([text, text], names=["url", "url"])
    for names, arrays, said in (
        (["id", "text", "text"], [text] * 3, "a.parquet has 2 columns 'text': only one can be read"),
        (["id", "metadata"], [text, inner], "a.parquet, column 'metadata', has 2 columns 'url'"),
    ):
        pq.write_table(pa.Table.from_arrays(arrays, names=names), tmp_path / "a.parquet")
        with pytest.raises(rows.CorpusError, match=said):
            read(tmp_path / "a.parquet")


def test_a_row_of_a_table_that_cannot_be_shown_is_broken_alone(tmp_path: Path) -> None:
    pairs = pa.array([[("a", 1.0)], [("a", 1.0), ("a", 2.0)], None], type=pa.map_(pa.string(), pa.float64()))
    pq.write_table(pa.table({"p": pairs}), tmp_path / "a.parquet")
    first, second, third = read(tmp_path / "a.parquet")
    assert (first, third) == ({"p": {"a": 1.0}}, {"p": None})
    assert "duplicate key was 'a'" in second.describe()


def test_text_of_a_table_that_is_not_utf8_is_broken_alone(tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 2, 3], type=pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xffc")])
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [{"text": "a"}, Broken("not_utf8", b""), {"text": "c"}]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"id": "a", "text": "one", "text": "two"}', "text"),
        ('{"id": "a", "text": "say \\"id\\"", "metadata": {"url": "x", "url": "y"}}', "url"),
        ('{"id": "a", "text": "one", "list": [{"b": 1, "b": 1}]}', "b"),
    ],
)
def test_a_key_that_is_given_twice_is_a_problem(tmp_path: Path, line: str, key: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"id": "b", "text": "\\u0022 \\" \\\\"}}\n{line}\n')
    whole, broken = json_rows(str(file))
    assert whole == {"id": "b", "text": '" " \\'}
    assert (broken.problem, broken.why) == ("not_json", f"{key!r} is given twice in one object")
