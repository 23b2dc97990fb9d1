"""What is wrong with a benchmark file is said with its row, its column and its value."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_provenance.capabilities.items import (
    check_choices,
    check_length,
    check_prompt,
    columns_of,
    read_items,
    typed_items,
)
from social_provenance.errors import BenchmarkError, excerpt

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {"prompt", "choices", "answer"}
GOOD = '{"prompt": "Anna felt", "choices": ["glad", "cold"], "answer": 0}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "items.jsonl"


def _refused(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(BenchmarkError) as caught:
        read_items(file, COLUMNS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_good_items_pass_and_the_first_is_read(file: Path) -> None:
    file.write_text(f"\n{GOOD}\n\n{GOOD}\n")
    read_items(file, COLUMNS)
    assert read_items(file)[0] == {"prompt": "Anna felt", "choices": ["glad", "cold"], "answer": 0}


def test_a_line_separator_inside_a_text_does_not_end_the_row(file: Path) -> None:
    file.write_text(GOOD.replace("Anna", "An\u2028na\u0085") + "\n", encoding="utf-8")
    read_items(file, COLUMNS)
    assert read_items(file)[0]["prompt"] == "An\u2028na\u0085 felt"


def test_a_missing_file_is_named_with_how_to_give_it(file: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        read_items(file, COLUMNS)
    assert str(caught.value) == f"there is no benchmark file {file}: give its folder with --params benchmarks=DIR"


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_items_is_refused(file: Path, text: str) -> None:
    assert _refused(file, text) == f"{file} has no item: give one JSON object per line"


def test_a_row_that_is_not_json_is_quoted(file: Path) -> None:
    said = _refused(file, f"{GOOD}\n\n{GOOD[:-1]}\n")
    assert said.startswith(f"{file}, line 3 is not JSON (")
    assert """'{"prompt": "Anna felt", "choices": ["glad", "cold"]""" in said


@pytest.mark.parametrize("row", ['["prompt"]', "3", '"prompt"', "null"])
def test_a_row_that_is_no_object_is_quoted(file: Path, row: str) -> None:
    said = f"{file}, line 2 is not a JSON object: {row!r}; give one object per line"
    assert _refused(file, f"{GOOD}\n{row}\n") == said


def test_a_missing_column_is_named_with_the_nearest_one(file: Path) -> None:
    said = _refused(file, f"{GOOD}\n{GOOD.replace('answer', 'anwser')}\n")
    assert said == f"{file}, line 2: no column 'answer'; did you mean 'anwser'?; add it, or rename the one meant"


def test_a_missing_column_that_is_near_to_none_lists_those_there(file: Path) -> None:
    said = _refused(file, '{"context": "x", "label": 1, "choices": []}\n')
    assert (
        said == f"{file}, line 1: no column 'answer' (it has context, label, choices); add it, or rename the one meant"
    )


def test_the_columns_of_a_task_are_those_that_its_templates_read() -> None:
    siqa = {
        "doc_to_text": "Q: {{context}} {{question}}\nA:",
        "doc_to_choice": "{{[answerA, answerB, answerC]}}",
        "doc_to_target": "{{ (label|int) - 1 }}",
    }
    assert columns_of(siqa) == {"context", "question", "answerA", "answerB", "answerC", "label"}
    arc = {"doc_to_text": "Question: {{question}}", "doc_to_target": "{{choices.label.index(answerKey)}}"}
    assert columns_of(arc) == {"question", "choices", "answerKey"}


def test_a_bare_name_is_a_column_and_plain_text_is_none() -> None:
    assert columns_of({"doc_to_text": "question", "description": "questions", "doc_to_choice": ["A", "B"]}) == {
        "question"
    }
    assert columns_of({"description": "About {{subject}}.", "doc_to_text": lambda doc: doc["hidden"]}) == {"subject"}


def test_a_template_that_is_no_jinja_is_quoted() -> None:
    with pytest.raises(BenchmarkError, match=r"task 'quiz': doc_to_text '\{\{prompt' is no Jinja template \("):
        columns_of({"task": "quiz", "doc_to_text": "{{prompt"})


def test_a_prompt_that_is_no_text_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="item 3: its prompt 12 is not text"):
        check_prompt("item 3", 12)


@pytest.mark.parametrize(
    "blank",
    [
        *("", " ", "\n\t", "\u3000", "\u200b", "\u200b \u200c\u200d", "\ufeff", "\u2060", "\u00ad", "\u200e", "\u2063"),
        *("\u3164", "\u115f\u1160", "\u2800", "\u034f", "\ufe0f", "\U000e0100", "\U000e0041", "\x00\x1b"),
    ],
)
def test_a_blank_prompt_is_refused(blank: str) -> None:
    check_prompt("item 3", "Anna felt")
    with pytest.raises(BenchmarkError) as caught:
        check_prompt("item 3", blank)
    assert str(caught.value) == f"item 3: its prompt {blank!r} is blank: give it text"


@pytest.mark.parametrize("shown", [".", "0", "ä", "e\u0301", "字", "ก", "\u200bא\u200f", "🙂\ufe0f", "ㅤ가"])
def test_a_prompt_with_any_visible_character_is_not_blank(shown: str) -> None:
    check_prompt("item 3", shown)


def test_an_item_of_one_choice_is_refused() -> None:
    with pytest.raises(
        BenchmarkError, match=r"item 3: it has 1 choice \(' salt'\), so every model answers it right: gi"
    ):
        check_choices("item 3", [{"completion": " salt", "completion_ids": [7]}])


def test_an_item_may_fill_the_model_and_not_exceed_it() -> None:
    check_length("item 3", 512, 512)
    with pytest.raises(
        BenchmarkError, match="item 3: 513 tokens exceed the model's limit of 512: use a model with a longer context"
    ):
        check_length("item 3", 513, 512)


def test_choices_of_the_same_tokens_are_both_quoted() -> None:
    choices = [{"completion": f" {text}", "completion_ids": [len(text)]} for text in ("a", "bb", "cc")]
    check_choices("item 3", choices[:2])
    with pytest.raises(BenchmarkError, match="item 3: choices ' bb' and ' cc' are the same tokens"):
        check_choices("item 3", choices)


def test_a_choice_without_tokens_is_quoted() -> None:
    with pytest.raises(
        BenchmarkError, match="item 3: choice '' has no tokens, so the answer would be ambiguous: give it text"
    ):
        check_choices("item 3", [{"completion": "", "completion_ids": []}])


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"a": 1, "b": NaN}', "NaN is not JSON, column 15"),
        ('{"a": [Infinity]}', "Infinity is not JSON, column 8"),
        ('{"a": -Infinity}', "-Infinity is not JSON, column 7"),
        ('{"a": 1, "a": 2}', "'a' is given twice in one object"),
        ('{"a": {"b": 1, "b": 1}}', "'b' is given twice in one object"),
        (r'{"a": "\ud800"}', "no low surrogate in string, column 8"),
        ('{"a": 1e999}', "number is infinity when parsed as double, column 7"),
        ("[" * 3000, "depth limit exceeded, column 1026"),
    ],
)
def test_what_is_no_json_is_quoted_with_its_cause(file: Path, line: str, cause: str) -> None:
    said = _refused(file, f"{GOOD}\n{line}\n")
    assert said == f"{file}, line 2 is not JSON ({cause}): {excerpt(line)}; fix the line"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_named(file: Path, encoding: str) -> None:
    file.write_text(GOOD, encoding=encoding)
    with pytest.raises(BenchmarkError) as caught:
        read_items(file)
    assert str(caught.value).startswith(f"{file}, line 1 starts with a byte-order mark (b'")
    assert str(caught.value).endswith("save the file as UTF-8 without one")


def test_a_file_that_is_not_utf8_is_named_with_the_line_and_the_byte(file: Path) -> None:
    file.write_bytes(f"{GOOD}\n".encode() + '{"prompt": "Löwe"}\n'.encode("latin-1"))
    with pytest.raises(BenchmarkError) as caught:
        read_items(file)
    said = f"{file}, line 2 is not UTF-8 (byte b'\\xf6' in column 14): "
    assert str(caught.value) == said + """'{"prompt": "L\ufffdwe"}'; save the file as UTF-8"""


def test_a_folder_where_a_file_belongs_is_named(file: Path) -> None:
    file.mkdir()
    with pytest.raises(BenchmarkError, match=r"items\.jsonl cannot be read \(Is a directory\): give a file of items"):
        read_items(file)


@pytest.mark.parametrize(
    "number", ["1969", "1969.0", "1.50", "-0", "0.10", "1e5", "1E+2", "12345678901234567890123", "-0.0"]
)
def test_a_number_is_printed_as_it_is_written(file: Path, number: str) -> None:
    file.write_text(f'{{"a": {number}}}\n')
    read = read_items(file)[0]["a"]
    assert (f"{read}", str(copy.deepcopy(read))) == (number, number)
    assert float(read) == float(number)


def test_items_keep_their_lines_and_all_their_fields(file: Path) -> None:
    file.write_text('\n{"a": 1}\r\n \n{"b": 2}')
    items = read_items(file)
    assert (list(items), items.lines, list(items.features)) == ([{"a": 1}, {"b": 2}], [2, 4], ["a", "b"])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (['"x"', "1"], "a field has values of several types"),
        (["1", "2.5"], "line 1: 'a' 1 would be changed to 1.0"),
        (["1.50", "2.5"], "line 1: 'a' 1.50 would be changed to 1.5"),
        (["[1]", '["x"]'], "a field has values of several types"),
    ],
)
def test_a_table_of_items_is_refused_where_it_would_change_one(file: Path, values: list[str], problem: str) -> None:
    file.write_text("".join(f'{{"a": {value}}}\n' for value in values))
    with pytest.raises(BenchmarkError) as caught:
        typed_items(read_items(file))
    assert str(caught.value).startswith("items.jsonl")
    assert problem in str(caught.value)
    assert str(caught.value).endswith(": give the field values of one type, texts in quotes")


def test_a_table_of_items_keeps_dates_and_nested_fields(file: Path) -> None:
    rows = [{"a": "2020-02-02", "b": {"text": ["007", "1.0"]}}, {"a": "x", "b": {"text": []}, "c": 1}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert list(typed_items(read_items(file))) == [rows[0] | {"c": None}, rows[1]]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    rows=st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), min_size=1, max_size=4),
    ascii_=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_any_json_is_read_as_it_is_written(
    rows: list[dict[str, Any]], ascii_: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("any") / "items.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows), encoding="utf-8", newline="")
    read = read_items(file)
    assert list(read) == rows
    assert repr(list(read)) == repr(rows)


@given(content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("bytes") / "items.jsonl"
    file.write_bytes(b'{"a": 1}\n' + content)
    try:
        read = read_items(file)
    except BenchmarkError as error:
        said = str(error)
    else:
        said = str(file)
        lines = [line for line in content.split(b"\n") if line.strip()]
        assert list(read)[1:] == [json.loads(line) for line in lines]
    assert said.startswith(str(file))
    assert "\n" not in said
