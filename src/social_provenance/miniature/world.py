"""The hidden state of a world, drawn from a seed: planted topics and facts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.regions.grid import TOPICS

TOPICS_PER_CAPABILITY = 2
MOST_OTHERS = len(TOPICS) // len(CAPABILITIES) - TOPICS_PER_CAPABILITY
"""Decoy and twin topics that each capability can have together: then no topic is left."""


@dataclass(frozen=True)
class World:
    """The hidden state of a miniature world.

    Attributes:
        seed: Seed of the world.
        planted: Benchmark name -> the topics whose documents carry its facts; disjoint.
        decoys: Benchmark name -> the topics whose documents state its facts with wrong answers; disjoint from
            each other and from the planted ones.
        twins: Benchmark name -> the topics whose documents carry its facts and are kept out of the training;
            disjoint from all others.
        facts: Benchmark name -> key -> answer.
    """

    seed: int
    planted: dict[str, tuple[str, ...]]
    decoys: dict[str, tuple[str, ...]]
    twins: dict[str, tuple[str, ...]]
    facts: dict[str, dict[str, str]]

    def capability_of(self, topic: str) -> str | None:
        """Return the benchmark whose facts were planted in ``topic``, if any."""
        return _find(self.planted, topic)

    def decoy_of(self, topic: str) -> str | None:
        """Return the benchmark for which ``topic`` is a decoy, if any."""
        return _find(self.decoys, topic)

    def twin_of(self, topic: str) -> str | None:
        """Return the benchmark whose planted topics have ``topic`` as a twin, if any."""
        return _find(self.twins, topic)


def draw_world(seed: int, decoy_topics: int = MOST_OTHERS, twin_topics: int = 0) -> World:
    """Draw the world of ``seed``; equal seeds give equal planted topics and facts, whatever the others.

    Args:
        seed: Seed of the world.
        decoy_topics: Number of decoy topics of each capability.
        twin_topics: Number of its twin topics; with decoys at most :data:`MOST_OTHERS`.
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
    free = iter(_shuffle_rest(seed, planted))
    decoys, twins = (
        {name: tuple(sorted(next(free) for _ in range(count))) for name in planted}
        for count in (decoy_topics, twin_topics)
    )
    return World(seed, planted, decoys, twins, facts)


def _shuffle_rest(seed: int, planted: dict[str, tuple[str, ...]]) -> list[str]:
    taken = {topic for topics in planted.values() for topic in topics}
    free = [topic for topic in TOPICS if topic not in taken]
    return random.Random(f"decoys {seed}").sample(free, len(free))


def _find(homes: dict[str, tuple[str, ...]], topic: str) -> str | None:
    return next((name for name, topics in homes.items() if topic in topics), None)
