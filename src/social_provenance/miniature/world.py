"""The hidden state of a world, drawn from a seed: planted topics and facts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.regions.grid import TOPICS

TOPICS_PER_CAPABILITY = 2
MOST_DECOYS = len(TOPICS) // len(CAPABILITIES) - TOPICS_PER_CAPABILITY
"""Decoy topics that each capability can have: then every topic is planted or a decoy."""


@dataclass(frozen=True)
class World:
    """The hidden state of a miniature world.

    Attributes:
        seed: Seed of the world.
        planted: Benchmark name -> the topics whose documents carry its facts; disjoint.
        decoys: Benchmark name -> the topics whose documents state its facts with wrong answers; disjoint from
            each other and from the planted ones.
        facts: Benchmark name -> key -> answer.
    """

    seed: int
    planted: dict[str, tuple[str, ...]]
    decoys: dict[str, tuple[str, ...]]
    facts: dict[str, dict[str, str]]

    def capability_of(self, topic: str) -> str | None:
        """Return the benchmark whose facts were planted in ``topic``, if any."""
        return _find(self.planted, topic)

    def decoy_of(self, topic: str) -> str | None:
        """Return the benchmark for which ``topic`` is a decoy, if any."""
        return _find(self.decoys, topic)


def draw_world(seed: int, decoy_topics: int = MOST_DECOYS) -> World:
    """Draw the world of ``seed``; equal seeds give equal planted topics and facts, whatever the decoys.

    Args:
        seed: Seed of the world.
        decoy_topics: Number of decoy topics of each capability, 0 to :data:`MOST_DECOYS`.
    """
    rng = random.Random(f"world {seed}")
    drawn = iter(rng.sample(TOPICS, TOPICS_PER_CAPABILITY * len(CAPABILITIES)))
    planted: dict[str, tuple[str, ...]] = {}
    facts: dict[str, dict[str, str]] = {}
    for name, capability in CAPABILITIES.items():
        planted[name] = tuple(sorted(next(drawn) for _ in range(TOPICS_PER_CAPABILITY)))
        answers = [capability.answers[i % len(capability.answers)] for i in range(len(capability.keys))]
        if not capability.fixed:
            rng.shuffle(answers)
        facts[name] = dict(zip(capability.keys, answers, strict=True))
    return World(seed, planted, _draw_decoys(seed, planted, decoy_topics), facts)


def _draw_decoys(seed: int, planted: dict[str, tuple[str, ...]], count: int) -> dict[str, tuple[str, ...]]:
    taken = {topic for topics in planted.values() for topic in topics}
    free = [topic for topic in TOPICS if topic not in taken]
    drawn = iter(random.Random(f"decoys {seed}").sample(free, count * len(planted)))
    return {name: tuple(sorted(next(drawn) for _ in range(count))) for name in planted}


def _find(homes: dict[str, tuple[str, ...]], topic: str) -> str | None:
    return next((name for name, topics in homes.items() if topic in topics), None)
