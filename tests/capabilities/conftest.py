"""Fixtures: a small lm-eval task with its items in a folder."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEMS = (
    ("Anna thanked Ben. Ben felt", ["glad", "cold"], 0, "thanked"),
    ("Carl cooled the plate. The plate became ", ["hot", "cold", "red"], 1, "cooled"),
    ("Any rod that is heated becomes", ["hot rod", "hot", "salt"], 1, "heated"),
    ("In Velda every guest brings", ["salt", "the contract", "a plate", "red"], 0, "Velda"),
    ("Der Löwe ist", ["müde", "日本", "🦉 owl"], 2, "Velda"),
)


@pytest.fixture
def items() -> list[dict[str, Any]]:
    """Return five items: one prompt ends with a blank, the numbers of choices and tokens differ."""
    return [dict(zip(("prompt", "choices", "answer", "key"), item, strict=True)) for item in ITEMS]


@pytest.fixture
def write_task(tmp_path: Path, toy_task: str) -> Callable[..., Path]:
    """Return a function that writes items and the task that reads them, and returns their folder."""

    def write(items: list[dict[str, Any]], name: str = "toy", more: str = "") -> Path:
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        definition = toy_task.replace("task: toy", f"task: {name}")
        for key in re.findall(r"(?m)^(\w+):", more):  # a key may be given once
            definition = re.sub(rf"(?m)^{key}:.*\n( .*\n)*", "", definition)
        (tmp_path / f"{name}.yaml").write_text(definition + more)
        return tmp_path

    return write


@pytest.fixture
def toy() -> Benchmark:
    """Return the benchmark of that task."""
    return Benchmark(name="toy", domain="social", level="reasoning", task="toy.yaml", file="toy.jsonl")


@pytest.fixture
def evaluation_of() -> Callable[..., Evaluation]:
    """Return a function that makes the evaluation of some benchmarks."""

    def make(*benchmarks: Benchmark, **settings: Any) -> Evaluation:
        return Evaluation(benchmarks=benchmarks, batch_size=4, **settings)

    return make
