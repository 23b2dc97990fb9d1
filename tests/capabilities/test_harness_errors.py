"""What lm-eval would trip over, or pass over in silence, is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.harness import build_requests
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.capabilities.benchmark import Benchmark

    Refused = Callable[..., str]


@pytest.fixture
def refused(
    write_task: Any, evaluation_of: Any, toy: Benchmark, tiny_tokenizer: Any, tiny_model: Any
) -> Callable[..., str]:
    """Return a function that writes items, changes the benchmark and returns what the error says."""

    def attempt(items: list[dict[str, Any]], **changed: Any) -> str:
        folder = write_task(items)
        with pytest.raises(BenchmarkError) as caught:
            build_requests(evaluation_of(toy.model_copy(update=changed)), folder, tiny_tokenizer, tiny_model.config)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(str(folder.resolve()), "DIR")

    return attempt


@pytest.mark.parametrize(
    ("row", "change", "pieces"),
    [
        (2, {"answer": 3}, ["toy.jsonl, line 2: answer 3 is not one of the 3 choices (0 to 2"]),
        (2, {"answer": -1}, ["toy.jsonl, line 2: answer '-1' is not one of the 3 choices (0 to 2"]),
        (2, {"answer": "B"}, ["toy.jsonl, line 2: answer 'B' is not one of the 3 choices"]),
        (2, {"answer": True}, ["toy.jsonl, line 2: ", "true is not text"]),
        (2, {"answer": None}, ["toy.jsonl, line 2: its field 'answer' is null: give it text"]),
        (1, {"answer": 2}, ["toy.jsonl, line 1: answer 2 is not one of the 2 choices (0 to 1"]),
        (1, {"answer": None}, ["toy.jsonl, line 1: its field 'answer' is null: give it text"]),
        (1, {"choices": ["", "a"]}, ["toy.jsonl, line 1: choice 1 is '': give it text"]),
        (2, {"choices": ["a", "b", " "]}, ["toy.jsonl, line 2: choice 3 is ' ': give it text"]),
        (3, {"choices": ["hot", None]}, ["toy.jsonl, line 3: its field 'choices' is null: give it text"]),
        (3, {"choices": ["hot", True]}, ["toy.jsonl, line 3: choice 2 is True, which is not text: give it text in q"]),
        (3, {"choices": ["hot", ["a"]]}, ["toy.jsonl, line 3: choice 2 is ['a'], which is not text"]),
        (3, {"choices": "hot"}, ["toy.jsonl, line 3: its choices 'hot' are not a list: give a list of texts"]),
        (3, {"prompt": None}, ["toy.jsonl, line 3: its field 'prompt' is null: give it text"]),
        (1, {"prompt": None}, ["toy.jsonl, line 1: its field 'prompt' is null: give it text"]),
        (3, {"prompt": " \n"}, ["item toy/2 (line 3 of toy.jsonl): its prompt ' \\n' is blank: give it text"]),
        (3, {"prompt": True}, ["toy.jsonl, line 3: ", "true is not text"]),
        (4, {"choices": ["salt"]}, ["item toy/3 (line 4 of toy.jsonl): it has 1 choice (' salt'), so every model a"]),
        (3, {"choices": []}, ["toy.jsonl, line 3: answer 1 is not one of the 0 choices"]),
        (
            4,
            {"choices": ["salt", "red", "salt"]},
            ["benchmark toy, item toy/3 (line 4 of toy.jsonl): choices ' salt' and ' salt' are the same tokens; the answer would be"],
        ),
        (1, {"prompt": ""}, ["benchmark toy, item toy/0 (line 1 of toy.jsonl): its prompt '' is blank: give it text"]),
        (
            1,
            {"prompt": "salt " * 600},
            [
                "benchmark toy, item toy/0 (line 1 of toy.jsonl): ",
                " tokens exceed the model's limit of 512: use a model with a longer context",
            ],
        ),
    ],
)
def test_a_bad_item_is_named_with_its_place_and_value(
    refused: Refused, items: list[dict[str, Any]], row: int, change: dict[str, Any], pieces: list[str]
) -> None:
    items[row - 1] |= change
    said = refused(items)
    for piece in pieces:
        assert piece in said


def test_an_item_beyond_a_limit_is_looked_at_too(refused: Refused, items: list[dict[str, Any]]) -> None:
    items[-1]["answer"] = 9
    assert "line 5: answer 9 is not one of the 3 choices" in refused(items)


def test_a_missing_column_is_found_before_lm_eval_reads_the_file(refused: Refused, items: list[dict[str, Any]]) -> None:
    items[2]["anwser"] = items[2].pop("answer")
    assert refused(items) == "DIR/toy.jsonl, line 3: no column 'answer'; did you mean 'anwser'?"


def test_a_missing_cluster_column_is_found_too(refused: Refused, items: list[dict[str, Any]]) -> None:
    assert refused(items, cluster="keys") == "DIR/toy.jsonl, line 1: no column 'keys'; did you mean 'key'?"


def test_a_missing_file_is_named_with_how_to_give_it(refused: Refused, items: list[dict[str, Any]]) -> None:
    said = "there is no benchmark file DIR/toys.jsonl: give its folder with --params benchmarks=DIR"
    assert refused(items, file="toys.jsonl") == said


def test_an_empty_file_is_named(refused: Refused) -> None:
    assert refused([]) == "DIR/toy.jsonl has no item: give one JSON object per line"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": "tois.yaml"}, "benchmark toy: no task definition 'tois.yaml' in DIR or among lm-eval's own; give a"),
        ({"task": "siqa"}, "benchmark toy: no task definition 'siqa' in DIR"),
        (
            {"task": "mmlu/continuation", "tag": "mmlu_stm", "file": None},
            "benchmark toy: no definition in 'mmlu/continuation' has the tag 'mmlu_stm'",
        ),
        (
            {"overrides": {"output_type": "generate_until"}},
            "benchmark toy: task 'toy' is of type 'generate_until'; multiple_choice tasks can be attributed",
        ),
        ({"overrides": {"doc_to_txt": "x"}}, "unexpected keyword argument 'doc_to_txt'"),
        (
            {"task": "siqa/siqa.yaml", "file": None},
            "benchmark toy: the data of task 'siqa/siqa.yaml' cannot be loaded (ConnectionError: ",
        ),
    ],
)
def test_a_definition_that_cannot_be_used_is_named(
    refused: Refused, items: list[dict[str, Any]], changed: dict[str, Any], said: str
) -> None:
    assert said in refused(items, **changed)


def test_a_definition_that_is_no_yaml_is_named(refused: Refused, items: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("task: [toy\n")
    said = refused(items, task=str(tmp_path / "broken.yaml"))
    assert said.startswith("benchmark toy: task definition DIR/broken.yaml cannot be read (")
    assert said.endswith("fix the YAML")
