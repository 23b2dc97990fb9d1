"""Fields: looked for where the catalog says, in rows and in the names of shards."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from social_provenance.documents.fields import FIELDS, compile_fields, roots, with_defaults
from social_provenance.documents.values import Unreadable
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
        ("n", {"n": ["x"]}, "x"),
        ("n", {"n": b"caf\xc3\xa9"}, "café"),
        ("n", {"n": []}, None),
        ("a.b", {"a.b": "Games"}, "Games"),
        ("a.b.c", {"a": {"b.c": "Games"}}, "Games"),
        ("a.b.c", {"a.b": {"c": "Games"}, "a": {"b": {"c": None}}}, "Games"),
        ("a.b.c", {"a": '{"b": {"c": "Games"}}'}, "Games"),
        ("a.b.c", {"a": {"b": [{"c": ["Games"]}]}}, "Games"),
        ("w", {"w": '{"Games": "0.2", "Health": 0.7}'}, "Health"),
        ("w", {"w": {"Games": 0.2, "Health": None}}, "Games"),
        ("w", {"w": {"Games": None}}, None),
        (["a", "b"], {"a": None, "b": "Games"}, "Games"),
        (["a", "b"], {"a": "", "b": "Games"}, "Games"),
        ("a", {"a": ""}, None),
        (["a", "b"], {"a": "Health", "b": "Games"}, "Health"),
        ("w", {"w": {"__label__Games": 0.2, "__label__Health": 0.7}}, "__label__Health"),
        ("w", {"w": {"B": 0.5, "A": 0.5}}, "A"),
        (["x", "w"], {"w": {"topic": "Games"}}, None),
        (["x", "w"], {"w": {"format": "FAQ", "format_confidence": 0.9}}, None),
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
        ({"c": "0.31"}, 0.31),
        ({"c": [" 1e-3 "]}, 0.001),
        ({"c": Decimal("0.5")}, 0.5),
        ({"c": {"A": "0.2", "B": None}}, 0.2),
        ({"c": ""}, None),
        ({"c": 0}, 0.0),
        ({"c": {"A": 0.2, "B": 0.7}}, 0.7),
        ({}, None),
    ],
)
def test_a_confidence_is_a_number_or_null(row: dict[str, Any], found: float | None) -> None:
    assert read("c", row, "given_topic_confidence") == found


@pytest.mark.parametrize(
    "value", ["high", True, 17.5, -1, float("nan"), "nan", [0.1, 0.2], {"A": 3.0}, {"A": "b"}, "{"]
)
def test_a_confidence_without_a_plain_meaning_is_a_problem(value: Any) -> None:
    with pytest.raises(Unreadable, match=r"between 0 and 1|labels with their probabilities"):
        read("x.c", {"x": {"c": value}}, "given_topic_confidence")


@pytest.mark.parametrize("value", [True, 1.5, ["Games", "Health"], {"topic": "Games"}, {"A": float("nan")}, b"\xff"])
def test_a_label_without_a_plain_meaning_is_a_problem(value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        read("topic", {"topic": value})
    assert (caught.value.value, caught.value.place) == (value, "topic")


@pytest.mark.parametrize(
    ("row", "confidence"),
    [
        ({"t": {"Games": 0.6, "Health": 0.3}}, 0.6),
        ({"t": {"Games": 0.6, "Health": 0.3}, "c": 0.5}, 0.5),
        ({"t": None, "u": '{"Games": "0.2"}'}, 0.2),
        ({"t": "Games", "u": {"Games": 0.9}}, None),
        ({"t": {"topic": "Games"}, "u": {"Games": 0.9}}, 0.9),
        ({}, None),
    ],
)
def test_a_label_of_probabilities_has_its_probability_as_confidence(row: dict[str, Any], confidence: Any) -> None:
    read = compile_fields({"given_topic": ["t", "u"], "given_topic_confidence": "c"}, DOLMA3)
    assert read["given_topic_confidence"](row) == confidence


def test_scores_that_are_no_probabilities_are_a_problem() -> None:
    read = compile_fields({"given_topic": "t", "given_topic_confidence": "c"}, DOLMA3)
    with pytest.raises(Unreadable, match="between 0 and 1"):
        read["given_topic_confidence"]({"t": {"Games": 4.5, "Health": -1}})


@pytest.mark.parametrize("value", [True, 1.5, 1e30, ["a"], {"a": "b"}])
def test_a_required_field_without_a_plain_meaning_is_named(value: Any) -> None:
    with pytest.raises(Unreadable, match="text or a whole number") as caught:
        read("id", {"id": value}, "doc_id")
    assert (caught.value.value, caught.value.place) == (value, "id")


def test_a_mapping_on_the_way_that_is_cut_off_is_a_problem() -> None:
    with pytest.raises(Unreadable, match="written as JSON"):
        read("metadata.url", {"metadata": '{"url": "https://a.o'}, "url")
    assert read("metadata.url", {"metadata": "no mapping"}, "url") is None


def test_the_columns_of_a_field_leave_out_the_name_of_the_shard() -> None:
    assert roots(["a.b", "path:x-(.*)", "c"]) == ["a", "a.b", "c"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"txt": "content"}, r"unknown field 'txt'; did you mean 'text'\?; name one of doc_id, text, url"),
        ({"given_topic": "path:no group"}, r"given_topic: 'no group' has 0 groups: put parentheses around one part"),
        ({"given_topic": ["a", "path:(("]}, r"given_topic: '\(\(' is not a valid regular expression \(.*\): fix it"),
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


SPELLINGS: dict[str, list[str]] = {
    "topic": ["games", "Games", "GAMES", " Games ", "__label__games", "__label__Games"],
    "format": ["faq", "FAQ", "__label__faq"],
}


@pytest.mark.parametrize("axis", SPELLINGS)
def test_probabilities_name_the_label_in_any_spelling_that_labels_have(axis: str) -> None:
    other = {"topic": "Literature", "format": "Listicle"}[axis]
    fields = with_defaults({f"given_{axis}": "label", f"given_{axis}_confidence": "chances"})
    read = compile_fields(fields, "a.jsonl")[f"given_{axis}_confidence"]
    for label, spelling in itertools.product(SPELLINGS[axis], repeat=2):
        assert read({"label": label, "chances": {other: 0.9, spelling: 0.1}}) == 0.1
        assert read({"label": label, "chances": json.dumps({spelling: 0.1, other: 0.9})}) == 0.1
        assert read({"label": {label: 0.7, other: 0.3}, "chances": {other: 0.9, spelling: 0.1}}) == 0.1


def test_a_label_that_probabilities_name_twice_is_read_as_it_is_spelled_or_refused() -> None:
    fields = with_defaults({"given_topic": "topic", "given_topic_confidence": "chances"})
    read = compile_fields(fields, "a.jsonl")["given_topic_confidence"]
    chances = {"Games": 0.2, "games": 0.3, "Food": 0.5}
    assert read({"topic": "games", "chances": chances}) == 0.3
    with pytest.raises(Unreadable, match="that of its label, 'GAMES', once and not as Games and games"):
        read({"topic": "GAMES", "chances": chances})
    assert read({"topic": "of my own", "chances": {"of my own": 0.4}}) == 0.4


def test_a_confidence_of_probabilities_is_that_of_the_label() -> None:
    fields = with_defaults({"given_topic": "topic", "given_topic_confidence": "chances"})
    read = compile_fields(fields, "a.jsonl")["given_topic_confidence"]
    chances = {"Games": 0.1, "Literature": 0.9}
    assert read({"topic": "Games", "chances": chances}) == 0.1
    assert read({"topic": {"Games": 0.7, "Literature": 0.3}, "chances": chances}) == 0.1
    assert read({"chances": chances}) == 0.9
    with pytest.raises(Unreadable, match="with that of its label, 'Food'"):
        read({"topic": "Food", "chances": chances})
