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


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Social IQA", "should match pattern"),
        ("name", "a.b", "should match pattern"),
        ("domain", "sociology", "Input should be 'social' or 'stem'"),
        ("level", "skill", "Input should be 'reasoning' or 'knowledge'"),
        ("overrides", ["description"], "valid dictionary"),
        ("files", "items.jsonl", "Extra inputs are not permitted"),
    ],
)
def test_a_benchmark_out_of_the_design_is_refused_with_the_field(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Benchmark.model_validate({**ONE, field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("batch_size", -1, "greater than 0"),
        ("limit", 0, "greater than 0"),
        ("max_unusable_share", -0.1, "greater than or equal to 0"),
        ("max_unusable_share", 1, "less than 1"),
        ("benchmarks", [], "at least 1 item"),
        ("batchsize", 8, "Extra inputs are not permitted"),
    ],
)
def test_an_evaluation_out_of_range_is_refused_with_the_field(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Evaluation.model_validate({"benchmarks": [ONE], field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Evaluation.model_validate({"benchmarks": [ONE]}).batch_size = 3


def test_a_tag_and_a_file_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="has a tag and a file: every definition"):
        Benchmark.model_validate({**ONE, "tag": "t", "file": "items.jsonl"})
