"""The 2 x 2 design and its settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from social_provenance.capabilities.benchmark import Benchmark, Evaluation

ONE = {"name": "siqa", "domain": "social", "level": "reasoning", "task": "siqa/siqa.yaml"}


def _evaluation(*names_and_cells: tuple[str, str, str], **settings: Any) -> Evaluation:
    benchmarks = [{**ONE, "name": name, "domain": domain, "level": level} for name, domain, level in names_and_cells]
    return Evaluation.model_validate({"benchmarks": benchmarks, **settings})


def test_a_cell_lists_its_benchmarks_in_order() -> None:
    evaluation = _evaluation(
        ("b", "social", "reasoning"),
        ("a", "social", "reasoning"),
        ("c", "stem", "reasoning"),
        ("d", "stem", "knowledge"),
    )
    assert evaluation.cell("social", "reasoning") == ["b", "a"]
    assert evaluation.cell("stem", "knowledge") == ["d"]
    assert evaluation.cell("social", "knowledge") == []


def test_two_benchmarks_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two benchmarks are named 'a': give each its own name"):
        _evaluation(("a", "social", "reasoning"), ("b", "stem", "reasoning"), ("a", "stem", "knowledge"))


@pytest.mark.parametrize("name", ["Social IQA", "a.b", ""])
def test_a_name_that_could_not_stand_in_a_path_or_a_column_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"name\s+String should match pattern"):
        Benchmark.model_validate({**ONE, "name": name})


def test_a_tag_and_a_file_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="has a tag and a file: every definition"):
        Benchmark.model_validate({**ONE, "tag": "t", "file": "items.jsonl"})
