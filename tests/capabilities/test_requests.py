"""Unusable items end a run, or are left out and named where the parameters allow for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from social_provenance.capabilities.benchmark import Benchmark
from social_provenance.capabilities.requests import ItemReader, _check_answer
from social_provenance.errors import BenchmarkError

BENCHMARK = Benchmark(name="toy", domain="social", level="reasoning", task="toy.yaml")


@dataclass(frozen=True)
class Request:
    """What lm-eval builds for a choice."""

    doc_id: int
    idx: int
    doc: dict[str, Any]
    args: tuple[str, str]


class Task:
    """An lm-eval task whose requests are built: (prompt, choices, gold) of each item."""

    config = SimpleNamespace(task="toy")

    def __init__(self, *items: tuple[str, list[str], int]) -> None:
        docs = [{"prompt": prompt, "choices": choices, "gold": gold} for prompt, choices, gold in items]
        self.instances = [
            Request(number, choice, doc, (doc["prompt"], text))
            for number, doc in enumerate(docs)
            for choice, text in enumerate(doc["choices"])
        ][::-1]

    def doc_to_choice(self, doc: dict[str, Any]) -> list[str]:
        choices: list[str] = doc["choices"]
        return choices

    def doc_to_target(self, doc: dict[str, Any]) -> int:
        return int(doc["gold"])


def _read(task: Task, places: list[int], share: float = 0.0) -> list[dict[str, Any]]:
    def encode(place: str, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        assert place.startswith("benchmark toy, item toy/")
        return list(prompt.encode()), list(completion.encode())

    return ItemReader(BENCHMARK, task, encode, max_tokens=12).read(places, share)


GOOD = ("Ben felt", ["a", "b", "c"], 1)
SAME = ("Ben felt", ["a", "b", "a"], 1)
ONE = ("Ben felt", ["a"], 0)
EMPTY = ("", ["a", "b"], 0)
LONG = ("Ben felt", ["a", "b and more"], 0)


def test_items_and_choices_come_in_order_whatever_the_order_of_requests() -> None:
    rows = _read(Task(GOOD, GOOD), [0, 7])
    assert [(row["item"], row["choice"], row["is_gold"]) for row in rows] == [
        (f"toy/{place}", choice, choice == 1) for place in (0, 7) for choice in range(3)
    ]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (SAME, "choices 'a' and 'a' are the same tokens, so the answer would be ambiguous: change or remove one"),
        (EMPTY, "its prompt '' is blank: give it text"),
        (ONE, "it has 1 choice ('a'), so every model answers it right: give it two or more"),
        (LONG, "18 tokens exceed the model's limit of 12: use a model with a longer context"),
    ],
)
def test_an_unusable_item_ends_the_run_with_its_place_and_the_way_out(bad: Any, problem: str) -> None:
    with pytest.raises(BenchmarkError) as caught:
        _read(Task(GOOD, bad, bad), [0, 4, 8])
    assert str(caught.value) == (
        f"benchmark toy, item toy/4: {problem} (unusable: 2 of 3 items); leave such items out of the file, "
        f"or raise evaluation.max_unusable_share above 0.0 to have them left out"
    )


def test_unusable_items_within_the_share_are_left_out_whole_and_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rows = _read(Task(GOOD, SAME, GOOD, LONG), [0, 1, 2, 3], share=0.5)
    assert {row["item"] for row in rows} == {"toy/0", "toy/2"}
    assert len(rows) == 6
    assert [record.getMessage().partition(": ")[2][:29] for record in caplog.records] == [
        "benchmark toy, item toy/1: ch",
        "benchmark toy, item toy/3: 18",
    ]


def test_one_more_than_the_share_ends_the_run() -> None:
    with pytest.raises(BenchmarkError, match=r"unusable: 3 of 4 items.* above 0\.5"):
        _read(Task(GOOD, SAME, EMPTY, LONG), [0, 1, 2, 3], share=0.5)


@pytest.mark.parametrize("cluster", [None, ""])
def test_items_without_a_cluster_are_not_related(cluster: str | None) -> None:
    task = Task(GOOD)
    for request in task.instances:
        request.doc["key"] = cluster
    reader = ItemReader(BENCHMARK.model_copy(update={"cluster": "key"}), task, lambda *_: ([1], [2]), max_tokens=12)
    with pytest.raises(BenchmarkError, match=r"its cluster, field 'key', is (None|'')"):
        reader.read([0], 0.0)


def test_a_choice_of_a_definition_that_is_no_text_is_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"line 1: choice 1 is \['a'\], which is not text"):
        _check_answer("a.jsonl, line 1", [["a"], ["b"]], 0)
