"""What is wrong with a benchmark file is said with its row, its column and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.capabilities.items import (
    check_choices,
    check_items,
    check_length,
    check_prompt,
    columns_of,
    first_item,
)
from social_provenance.errors import BenchmarkError

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
        check_items(file, COLUMNS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_good_items_pass_and_the_first_is_read(file: Path) -> None:
    file.write_text(f"\n{GOOD}\n\n{GOOD}\n")
    check_items(file, COLUMNS)
    assert first_item(file) == {"prompt": "Anna felt", "choices": ["glad", "cold"], "answer": 0}


def test_a_line_separator_inside_a_text_does_not_end_the_row(file: Path) -> None:
    file.write_text(GOOD.replace("Anna", "An\u2028na\u0085") + "\n", encoding="utf-8")
    check_items(file, COLUMNS)
    assert first_item(file)["prompt"] == "An\u2028na\u0085 felt"


def test_a_missing_file_is_named_with_how_to_give_it(file: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        check_items(file, COLUMNS)
    assert str(caught.value) == f"there is no benchmark file {file}: give its folder with --params benchmarks=DIR"


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_items_is_refused(file: Path, text: str) -> None:
    assert _refused(file, text) == f"{file} has no item: give one JSON object per line"


def test_a_row_that_is_not_json_is_quoted(file: Path) -> None:
    said = _refused(file, f"{GOOD}\n\n{GOOD[:-1]}\n")
    assert said.startswith(f"{file}, row 3 is not JSON (")
    assert """'{"prompt": "Anna felt", "choices": ["glad", "cold"]""" in said


@pytest.mark.parametrize("row", ['["prompt"]', "3", '"prompt"', "null"])
def test_a_row_that_is_no_object_is_quoted(file: Path, row: str) -> None:
    assert _refused(file, f"{GOOD}\n{row}\n") == f"{file}, row 2 is not a JSON object: {row!r}"


def test_a_missing_column_is_named_with_the_nearest_one(file: Path) -> None:
    said = _refused(file, f"{GOOD}\n{GOOD.replace('answer', 'anwser')}\n")
    assert said == f"{file}, row 2: no column 'answer'; did you mean 'anwser'?"


def test_a_missing_column_that_is_near_to_none_lists_those_there(file: Path) -> None:
    said = _refused(file, '{"context": "x", "label": 1, "choices": []}\n')
    assert said == f"{file}, row 1: no column 'answer'; it has context, label, choices"


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


def test_a_prompt_that_is_no_text_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="item 3: its prompt 12 is not text"):
        check_prompt("item 3", 12)


def test_an_empty_prompt_is_refused() -> None:
    check_prompt("item 3", "Anna felt")
    with pytest.raises(BenchmarkError, match="item 3: its prompt is empty"):
        check_prompt("item 3", "")


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
    with pytest.raises(BenchmarkError, match="item 3: choice '' has no tokens; the answer would be ambiguous"):
        check_choices("item 3", [{"completion": "", "completion_ids": []}])
