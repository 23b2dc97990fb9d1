"""Fields: looked for where the catalog says, in rows and in the names of shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from social_provenance.documents.fields import FIELDS, compile_fields, roots, with_defaults
from social_provenance.errors import CorpusError

PROJECT = Path(__file__).resolve().parents[2]
DOLMA3 = "common_crawl-science_math_and_technology-0018/shard_00000001.jsonl.zst"


def read(place: Any, row: dict[str, Any], field: str = "given_topic", shard: str = DOLMA3) -> Any:
    return compile_fields({field: place}, shard)[field](row)


def test_what_is_left_out_is_at_its_dolma_place() -> None:
    assert with_defaults({"text": "content"}) == {**FIELDS, "text": "content"}
    assert with_defaults(None) == FIELDS


@pytest.mark.parametrize(
    ("place", "row", "found"),
    [
        ("topic", {"topic": "Games"}, "Games"),
        ("a.b.c", {"a": {"b": {"c": "Games"}}}, "Games"),
        ("a.b", {"a": "no mapping"}, None),
        ("a.b", {}, None),
        ("n", {"n": 7}, "7"),
        ("n", {"n": True}, None),
        ("n", {"n": ["x"]}, None),
        (["a", "b"], {"a": None, "b": "Games"}, "Games"),
        (["a", "b"], {"a": "", "b": "Games"}, "Games"),
        ("a", {"a": ""}, None),
        (["a", "b"], {"a": "Health", "b": "Games"}, "Health"),
        ("w", {"w": {"__label__Games": 0.2, "__label__Health": 0.7}}, "__label__Health"),
        ("w", {"w": {"B": 0.5, "A": 0.5}}, "A"),
        ("w", {"w": {"topic": "Games"}}, None),
        ("w", {"w": {"format": "FAQ", "format_confidence": 0.9}}, None),
        ("w", {"w": {}}, None),
        ("path:common_crawl-([a-z_]+)-", {}, "science_math_and_technology"),
        ("path:stack-([a-z]+)", {}, None),
        (["t", "path:common_crawl-([a-z_]+)-"], {"t": "Games"}, "Games"),
    ],
)
def test_a_label_is_read_from_its_place(place: Any, row: dict[str, Any], found: str | None) -> None:
    assert read(place, row) == found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"c": 0.5}, 0.5),
        ({"c": 1}, 1.0),
        ({"c": "high"}, None),
        ({"c": True}, None),
        ({"c": {"A": 0.2, "B": 0.7}}, 0.7),
        ({}, None),
    ],
)
def test_a_confidence_is_a_number_or_null(row: dict[str, Any], found: float | None) -> None:
    assert read("c", row, "given_topic_confidence") == found


def test_the_columns_of_a_field_leave_out_the_name_of_the_shard() -> None:
    assert roots(["a.b", "path:x-(.*)", "c"]) == ["a", "c"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"txt": "content"}, r"unknown field 'txt'; did you mean 'text'\?; fields are doc_id, text, url"),
        ({"given_topic": "path:no group"}, r"given_topic: 'no group' needs one group in parentheses, it has 0"),
        ({"given_topic": ["a", "path:(("]}, r"given_topic: '\(\(' is not a valid regular expression"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(CorpusError, match=r"raw_documents\.fields.*" + said):
        with_defaults(fields)


DOLMA_ROWS: list[tuple[dict[str, Any], str | None]] = [
    ({"weborganizer": {"topic": "Games", "format": "FAQ"}}, "Games"),
    ({"weborganizer": {"__label__Games": 0.9, "__label__Health": 0.1}}, "__label__Games"),
    ({"wo_topic": "Games"}, "Games"),
    ({"wo_topic": {"__label__Games": 0.9}}, "__label__Games"),
    ({"weborganizer_topic": {"__label__Games": 0.9}, "weborganizer": {"__label__Health": 0.9}}, "__label__Games"),
    ({"weborganizer_max": "__label__games"}, "__label__games"),
    ({"other": 1}, "science_math_and_technology"),
]


@pytest.mark.parametrize(("metadata", "topic"), DOLMA_ROWS)
def test_the_entry_for_dolma_3_finds_topics_in_metadata_or_folder(metadata: dict[str, Any], topic: str | None) -> None:
    entry = yaml.safe_load((PROJECT / "conf/olmo3/catalog_corpus.yml").read_text())["raw_documents"]
    read = compile_fields(with_defaults(entry["fields"]), DOLMA3)
    row = {"id": "a", "text": "b", "metadata": metadata}
    assert read["given_topic"](row) == topic
    assert read["doc_id"](row) == "a"


@pytest.mark.parametrize(
    ("shard", "topic"),
    [
        ("common_crawl-science_math_and_technology-0012/part_1.jsonl.zst", "science_math_and_technology"),
        ("data/olmocr_science_pdfs-health/x.jsonl.zst", "health"),
        ("stack_edu-Python/shard_0.jsonl.zst", None),
    ],
)
def test_the_entry_for_dolma_3_knows_its_folders(shard: str, topic: str | None) -> None:
    entry = yaml.safe_load((PROJECT / "conf/olmo3/catalog_corpus.yml").read_text())["raw_documents"]
    assert compile_fields(with_defaults(entry["fields"]), shard)["given_topic"]({"id": "a", "text": "b"}) == topic
