"""Task definitions are found and looked at without running anything."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from social_provenance.capabilities.benchmark import Benchmark
from social_provenance.capabilities.definitions import (
    find_definitions,
    is_stock,
    read_definition,
    refuse_code,
    refuse_functions,
    refuse_guessed_types,
    refuse_other_keys,
    refuse_unrendered,
)
from social_provenance.errors import BenchmarkError

QUIZ = Benchmark(name="quiz", domain="social", level="reasoning", task="quiz.yaml")


def test_a_definition_of_the_folder_comes_before_a_stock_one(tmp_path: Path) -> None:
    own, stock = tmp_path / "own", tmp_path / "stock"
    for folder in (own, stock):
        folder.mkdir()
    (stock / "quiz.yaml").write_text("task: quiz\n")
    assert find_definitions(QUIZ, own, stock) == [stock / "quiz.yaml"]
    (own / "quiz.yaml").write_text("task: quiz\n")
    assert find_definitions(QUIZ, own, stock) == [own / "quiz.yaml"]
    assert [is_stock(folder / "quiz.yaml", stock) for folder in (own, stock)] == [False, True]


FIELDS = [
    ("task", "str | None", None),
    ("doc_to_text", "Callable | str | None", None),
    ("target_delimiter", "str", " "),
]
KNOWN = dataclasses.fields(
    dataclasses.make_dataclass(
        "Known", [(name, kind, dataclasses.field(default=value)) for name, kind, value in FIELDS]
    )
)


@pytest.mark.parametrize("key", ["doc_to_txt", "class", "", 3, "target delimiter", None])
def test_a_key_that_lm_eval_does_not_know_is_named_with_its_file(key: Any) -> None:
    config = {"task": None, "doc_to_text": len, "target_delimiter": ""}
    refuse_other_keys(QUIZ, Path("DIR/quiz.yaml"), config, KNOWN)
    said = f"benchmark quiz: DIR/quiz.yaml: {key!r} ('x') is no key of a task definition of lm-eval"
    with pytest.raises(BenchmarkError, match=f"^{re.escape(said)}.*; rename it, or remove it$"):
        refuse_other_keys(QUIZ, Path("DIR/quiz.yaml"), config | {key: "x"}, KNOWN)


@pytest.mark.parametrize("value", [None, 3, ["a"], {"a": "b"}, True, len])
def test_what_is_no_text_where_lm_eval_takes_text_alone_is_named_with_its_key(value: Any) -> None:
    own = QUIZ.model_copy(update={"overrides": {"target_delimiter": value}})
    for quiz, place in ((QUIZ, "DIR/quiz.yaml"), (own, "overrides of quiz.yaml")):
        with pytest.raises(BenchmarkError) as caught:
            refuse_other_keys(quiz, Path("DIR/quiz.yaml"), {"target_delimiter": value}, KNOWN)
        assert str(caught.value).startswith(f"benchmark quiz: {place}: target_delimiter is ")
        assert str(caught.value).endswith(
            ", and lm-eval takes str there: give it that in quotes, or leave it out (' ')"
        )


@pytest.mark.parametrize("kind", ["nothing", "a file", "a link that leads nowhere"])
def test_a_folder_of_benchmarks_that_is_none_is_named(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "benchmarks"
    if kind == "a file":
        place.touch()
    elif kind != "nothing":
        place.symlink_to("nowhere")
    said = f"'quiz.yaml' is not among lm-eval's own, and there is no folder of benchmarks at {place}: give one with"
    with pytest.raises(BenchmarkError, match=re.escape(said)):
        find_definitions(QUIZ, place, tmp_path / "stock")


@pytest.mark.parametrize("choice", ["{{a}}", "no {% if a %}x{% endif %}", "{# none #}b"])
def test_a_template_in_a_list_of_choices_would_be_every_items_choice(choice: str) -> None:
    for listed in (["b", choice], {"A": choice, "B": "b"}):
        with pytest.raises(BenchmarkError) as caught:
            refuse_unrendered(QUIZ, Path("DIR/quiz.yaml"), {"doc_to_choice": listed})
        assert f"DIR/quiz.yaml: doc_to_choice lists {choice!r}, and templates in a list are not" in str(caught.value)
    for listed in (["yes", "no", 3, "{a}"], {"A": "b"}, "{{[a, b]}}", None, len):
        refuse_unrendered(QUIZ, Path("DIR/quiz.yaml"), {"doc_to_choice": listed})


def test_a_function_is_named_and_not_imported(tmp_path: Path) -> None:
    file = tmp_path / "quiz.yaml"
    file.write_text("doc_to_text: !function nowhere.f\n")
    assert read_definition(QUIZ, file) == ({"doc_to_text": "nowhere.f"}, ["nowhere.f"])
    refuse_functions(QUIZ, file, tmp_path)  # a definition of lm-eval's own
    with pytest.raises(BenchmarkError, match=r"quiz\.yaml runs code \(!function nowhere\.f\), which is refused"):
        refuse_functions(QUIZ, file, tmp_path / "stock")
    refuse_functions(QUIZ, file, tmp_path / "stock", allow_code=True)


def test_metrics_of_lm_eval_are_no_code() -> None:
    refuse_code(QUIZ, {"metric_list": [{"metric": "acc"}, {"metric": len}]}, {"acc"})
    with pytest.raises(BenchmarkError, match="its metric 'own' is none of lm-eval's own"):
        refuse_code(QUIZ, {"metric_list": [{"metric": "own"}]}, {"acc"})


def test_types_of_a_data_set_on_the_hub_are_not_guessed(tmp_path: Path) -> None:
    refuse_guessed_types(QUIZ, {"dataset_path": "owner/name"})
    with pytest.raises(BenchmarkError, match="the types of its data"):
        refuse_guessed_types(QUIZ, {"dataset_path": str(tmp_path)})


def test_a_key_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "quiz.yaml").write_text("doc_to_target: answer\ndoc_to_text: prompt\ndoc_to_target: 0\n")
    quiz = Benchmark(name="quiz", domain="social", level="reasoning", task="quiz.yaml")
    with pytest.raises(BenchmarkError, match="'doc_to_target' is given twice"):
        read_definition(quiz, tmp_path / "quiz.yaml")
    with pytest.raises(BenchmarkError, match="'doc_to_target' is given twice"):
        refuse_functions(quiz, tmp_path / "quiz.yaml", tmp_path / "stock")
    with pytest.raises(BenchmarkError, match="'doc_to_target' is given twice"):
        refuse_functions(quiz, tmp_path / "quiz.yaml", tmp_path / "stock", allow_code=True)
    refuse_functions(quiz, tmp_path / "quiz.yaml", tmp_path)  # one of lm-eval's own
