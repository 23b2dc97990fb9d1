"""Conversion of the items of an lm-eval task to rows for scoring, one per choice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.items import Items, check_choices, check_length, check_prompt, is_blank
from social_provenance.capabilities.templates import TEMPLATES, Template
from social_provenance.errors import BenchmarkError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from social_provenance.capabilities.benchmark import Benchmark

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ItemReader:
    """Reader of the items of a task whose requests lm-eval has built.

    Attributes:
        benchmark: Benchmark of the task.
        task: The lm-eval task.
        encode: (place in errors, prompt, completion) -> token ids of prompt and completion.
        max_tokens: Context length of the model, in tokens.
    """

    benchmark: Benchmark
    task: Any
    encode: Callable[[str, str, str], tuple[list[int], list[int]]]
    max_tokens: int

    def read(self, places: Sequence[int], max_unusable_share: float) -> list[dict[str, Any]]:
        """Return one row per choice of each item.

        Args:
            places: Index in the task of each item that was built.
            max_unusable_share: Largest share, 0 to 1, of unusable items; these are left out and logged.

        Raises:
            BenchmarkError: With the first unusable item, if the share is exceeded.
        """
        items: dict[int, list[Any]] = {}
        for instance in self.task.instances:
            items.setdefault(instance.doc_id, []).append(instance)
        rows: list[dict[str, Any]] = []
        problems: list[BenchmarkError] = []
        for number, instances in sorted(items.items()):
            try:
                rows += self._read_item(places[number], instances)
            except BenchmarkError as error:
                problems.append(error)
        if len(problems) > max_unusable_share * len(items):
            raise BenchmarkError(
                f"{problems[0]} (unusable: {len(problems)} of {len(items)} items); leave such items out of the "
                f"file, or raise evaluation.max_unusable_share above {max_unusable_share} to have them left out"
            )
        for problem in problems:
            logger.warning("left out: %s", problem)
        return rows

    def _read_item(self, number: int, instances: Sequence[Any]) -> list[dict[str, Any]]:
        doc = instances[0].doc
        gold = self.task.doc_to_target(doc)
        choices = self.task.doc_to_choice(doc)
        name = f"{self.task.config.task}/{number}"
        place = f"benchmark {self.benchmark.name}, item {name}{_line(self.task, number)}"
        cluster = doc[self.benchmark.cluster] if self.benchmark.cluster else name
        if cluster is None or str(cluster) == "":
            raise BenchmarkError(
                f"{place}: its cluster, field {self.benchmark.cluster!r}, is {excerpt(cluster)}, so items that are not "
                f"related would count as one: give it a value, or leave cluster out of evaluation.benchmarks"
            )
        rows = []
        for instance in sorted(instances, key=lambda one: one.idx)[: len(choices)]:
            prompt, completion = instance.args[:2]
            check_prompt(place, prompt)
            before, after = self.encode(place, prompt, completion)
            check_length(place, len(before) + len(after), self.max_tokens)
            rows.append(
                {
                    "benchmark": self.benchmark.name,
                    "item": name,
                    "cluster": str(cluster),
                    "choice": instance.idx,
                    "is_gold": instance.idx == gold,
                    "prompt": prompt,
                    "completion": completion,
                    "prompt_ids": before,
                    "completion_ids": after,
                    "bytes": len(choices[instance.idx].encode()),
                }
            )
        check_choices(place, rows)
        return rows


def check_answers(benchmark: Benchmark, task: Any) -> None:
    """Check that every item of a task can be rendered and has a correct answer among its choices.

    Raises:
        BenchmarkError: Naming the file (or data set), the line and what is wrong there.
    """
    if task.OUTPUT_TYPE != "multiple_choice":
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task {task.config.task!r} is of type {task.OUTPUT_TYPE!r}, and "
            f"multiple_choice tasks alone can be attributed: choose such a task"
        )
    for number, doc in enumerate(task.eval_docs):
        place = _place(benchmark, task, number)
        try:
            for field in (task.config.description, task.config.gen_prefix):
                task.resolve_field(doc, field)
            task.doc_to_text(doc)
            choices, gold = task.doc_to_choice(doc), task.doc_to_target(doc)
        except BenchmarkError as error:
            raise BenchmarkError(f"{place}: {error}") from error
        except Exception as error:
            raise BenchmarkError(
                f"{place}: {excerpt(dict(doc), 160)} cannot be rendered ({type(error).__name__}: "
                f"{excerpt(str(error), 160)}): fix the item, or the task {benchmark.task!r}"
            ) from error
        _check_answer(place, choices, gold)


def check_rendered(items: Items, config: Mapping[str, Any]) -> None:
    """Check items by the templates of their task, before lm-eval renders them; functions are not called.

    Raises:
        BenchmarkError: Naming the file, the line and what is wrong there.
    """
    templates = {name: config[name] for name in TEMPLATES if isinstance(config.get(name), Template)}
    for line, item in zip(items.lines, items, strict=True):
        place = f"{items.place}, line {line}"
        try:
            rendered = {name: template(item) for name, template in templates.items()}
        except BenchmarkError as error:
            raise BenchmarkError(f"{place}: {error}") from error
        if {"doc_to_choice", "doc_to_target"} <= set(rendered):
            _check_answer(place, rendered["doc_to_choice"], rendered["doc_to_target"])


def _check_answer(place: str, choices: Sequence[Any], gold: Any) -> None:
    if isinstance(gold, bool) or not isinstance(gold, int) or not 0 <= gold < len(choices):
        fix = (
            f"give 0 to {len(choices) - 1} after the task's preprocessing" if choices else "give it two choices or more"
        )
        raise BenchmarkError(f"{place}: answer {gold!r} is not one of the {len(choices)} choices: {fix}")
    for choice, text in enumerate(choices, start=1):
        if not isinstance(text, str):
            said = excerpt(text)
            raise BenchmarkError(f"{place}: choice {choice} is {said}, which is not text: give it text in quotes")
        if is_blank(text):
            raise BenchmarkError(f"{place}: choice {choice} is {text!r}: give it text")


def _place(benchmark: Benchmark, task: Any, number: int) -> str:
    """Return the file and the line of an item, or its data set and row."""
    items = task.eval_docs
    if isinstance(items, Items):
        return f"{items.place}, line {items.lines[number]}"
    return f"{benchmark.file or task.config.dataset_path}, row {number + 1}"


def _line(task: Any, number: int) -> str:
    items = getattr(task, "eval_docs", None)
    return f" (line {items.lines[number]} of {items.place})" if isinstance(items, Items) else ""
