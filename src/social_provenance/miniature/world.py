"""The hidden state of a world, drawn from a seed: planted topics and facts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.regions.grid import TOPICS

TOPICS_PER_CAPABILITY = 2


@dataclass(frozen=True)
class World:
    """The hidden state of a miniature world.

    Attributes:
        seed: Seed of the world.
        planted: Benchmark name -> the topics whose documents carry its facts; disjoint.
        facts: Benchmark name -> key -> answer.
    """

    seed: int
    planted: dict[str, tuple[str, ...]]
    facts: dict[str, dict[str, str]]

    def capability_of(self, topic: str) -> str | None:
        """Return the benchmark whose facts were planted in ``topic``, if any."""
        return next((name for name, topics in self.planted.items() if topic in topics), None)


def draw_world(seed: int) -> World:
    """Draw the world of ``seed``; equal seeds give equal worlds."""
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
    return World(seed, planted, facts)
