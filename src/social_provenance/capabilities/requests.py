"""Conversion of the items of an lm-eval task to rows for scoring, one per choice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.items import check_choices, check_length, check_prompt
from social_provenance.errors import BenchmarkError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from social_provenance.capabilities.benchmark import Benchmark

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ItemReader:
    """Reader of the items of a task whose requests lm-eval has built.

    Attributes:
        benchmark: Benchmark of the task.
        task: The lm-eval task.
        encode: (prompt, completion) -> their token ids, as lm-eval splits them.
        max_tokens: Context length of the model, in tokens.
    """

    benchmark: Benchmark
    task: Any
    encode: Callable[[str, str], tuple[list[int], list[int]]]
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
                rows += self._read_item(f"{self.task.config.task}/{places[number]}", instances)
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

    def _read_item(self, name: str, instances: Sequence[Any]) -> list[dict[str, Any]]:
        doc = instances[0].doc
        gold = self.task.doc_to_target(doc)
        choices = self.task.doc_to_choice(doc)
        place = f"benchmark {self.benchmark.name}, item {name}"
        rows = []
        for instance in sorted(instances, key=lambda one: one.idx)[: len(choices)]:
            prompt, completion = instance.args[:2]
            check_prompt(place, prompt)
            before, after = self.encode(prompt, completion)
            check_length(place, len(before) + len(after), self.max_tokens)
            rows.append(
                {
                    "benchmark": self.benchmark.name,
                    "item": name,
                    "cluster": str(doc[self.benchmark.cluster]) if self.benchmark.cluster else name,
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
    """Check that every item of a task has a correct answer among its choices.

    Raises:
        BenchmarkError: Naming the file (or data set), the row and the answer.
    """
    if task.OUTPUT_TYPE != "multiple_choice":
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task {task.config.task!r} is of type {task.OUTPUT_TYPE!r}; "
            f"multiple_choice tasks can be attributed"
        )
    place = benchmark.file or task.config.dataset_path
    for row, doc in enumerate(task.eval_docs, start=1):
        try:
            choices, gold = task.doc_to_choice(doc), task.doc_to_target(doc)
        except Exception as error:
            raise BenchmarkError(
                f"{place}, row {row}: the answer of {excerpt(dict(doc), 160)} cannot be read ({error}); "
                f"it must name one of the item's choices"
            ) from error
        if not isinstance(gold, int) or not 0 <= gold < len(choices):
            raise BenchmarkError(
                f"{place}, row {row}: answer {gold!r} is not one of the {len(choices)} choices "
                f"(0 to {len(choices) - 1} after the task's preprocessing)"
            )
