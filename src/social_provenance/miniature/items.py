"""The benchmarks of a world: items, and the lm-eval task that reads them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from social_provenance.miniature.documents import state_fact
from social_provenance.miniature.facts import CAPABILITIES

if TYPE_CHECKING:
    from social_provenance.miniature.world import World


def write_items(world: World, per_fact: int, choices: int) -> dict[str, list[dict[str, Any]]]:
    """Return the items of each benchmark of ``world``.

    An item's prompt is a planted sentence up to its last word. In reasoning items the people or
    things are new: no document states a rule about them, so the rule has to be applied.

    Returns:
        Benchmark name -> rows of ``item`` (str), ``key`` (the fact asked about: items that share
        it are not independent), ``prompt``, ``choices`` and ``answer`` (index of the right choice).
    """
    benchmarks = {}
    for name, capability in CAPABILITIES.items():
        rng = random.Random(f"items {world.seed} {name}")
        rows: list[dict[str, Any]] = []
        for key, answer in world.facts[name].items():
            for i in range(per_fact):
                frame = capability.frames[i % len(capability.frames)]
                sentence = state_fact(rng, frame, key, answer, new=True)
                others = [other for other in capability.answers if other != answer]
                options = [answer, *rng.sample(others, choices - 1)]
                rng.shuffle(options)
                rows.append(
                    {
                        "item": f"{name}-{len(rows):04d}",
                        "key": key,
                        "prompt": sentence[: sentence.rindex(" ")],
                        "choices": options,
                        "answer": options.index(answer),
                    }
                )
        benchmarks[name] = rows
    return benchmarks


TASK: dict[str, Any] = {
    "output_type": "multiple_choice",
    "test_split": "test",
    "doc_to_text": "{{prompt}}",
    "doc_to_choice": "{{choices}}",
    "doc_to_target": "{{answer}}",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 1.0},
}
"""lm-eval task of every miniature benchmark, without its name and its data."""
