"""Task definitions are found and looked at without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.capabilities.benchmark import Benchmark
from social_provenance.capabilities.definitions import (
    find_definitions,
    is_stock,
    read_definition,
    refuse_code,
    refuse_functions,
    refuse_guessed_types,
)
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_function_is_named_and_not_imported(tmp_path: Path) -> None:
    file = tmp_path / "quiz.yaml"
    file.write_text("doc_to_text: !function nowhere.f\n")
    assert read_definition(QUIZ, file) == ({"doc_to_text": "nowhere.f"}, ["nowhere.f"])
    refuse_functions(QUIZ, file, tmp_path)  # a definition of lm-eval's own
    with pytest.raises(BenchmarkError, match=r"quiz\.yaml runs code \(!function nowhere\.f\), which is refused"):
        refuse_functions(QUIZ, file, tmp_path / "stock")


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
    refuse_functions(quiz, tmp_path / "quiz.yaml", tmp_path)  # one of lm-eval's own
