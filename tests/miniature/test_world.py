"""Worlds: drawn by the seed alone, topics disjoint, every answer as common as any other."""

from __future__ import annotations

from collections import Counter

import pytest

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.world import MOST_OTHERS, TOPICS_PER_CAPABILITY, draw_world
from social_provenance.regions.grid import TOPICS

SEEDS = range(20)


def test_equal_seeds_give_equal_worlds() -> None:
    assert draw_world(7) == draw_world(7)


def test_other_seeds_plant_in_other_topics() -> None:
    assert len({tuple(draw_world(seed).planted.items()) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_planted_topics_are_disjoint_and_of_the_grid(seed: int) -> None:
    world = draw_world(seed)
    topics = [topic for own in world.planted.values() for topic in own]
    assert list(world.planted) == list(CAPABILITIES)
    assert {len(own) for own in world.planted.values()} == {TOPICS_PER_CAPABILITY}
    assert len(set(topics)) == len(topics)
    assert set(topics) <= set(TOPICS)


def test_no_topic_is_out_of_reach_of_the_seed() -> None:
    planted = Counter(topic for seed in range(200) for own in draw_world(seed).planted.values() for topic in own)
    assert set(planted) == set(TOPICS)


@pytest.mark.parametrize(("decoys", "twins"), [(d, t) for d in range(5) for t in range(5) if d + t <= MOST_OTHERS])
def test_decoys_and_twins_lie_in_topics_of_their_own_and_change_nothing_else(decoys: int, twins: int) -> None:
    for seed in SEEDS:
        world, plain = draw_world(seed, decoys, twins), draw_world(seed, 0)
        assert (world.planted, world.facts) == (plain.planted, plain.facts)
        homes = (world.planted, world.decoys, world.twins)
        sizes = [{len(own) for own in home.values()} for home in homes]
        assert sizes == [{TOPICS_PER_CAPABILITY}, {decoys}, {twins}]
        topics = [topic for home in homes for own in home.values() for topic in own]
        assert len(set(topics)) == len(topics)
        for topic in TOPICS:
            found = [world.capability_of(topic), world.decoy_of(topic), world.twin_of(topic)]
            assert sum(name is not None for name in found) == (topic in topics)


def test_any_topic_can_be_a_decoy() -> None:
    decoys = Counter(topic for seed in range(200) for own in draw_world(seed, 1).decoys.values() for topic in own)
    assert set(decoys) == set(TOPICS)


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_key_has_an_answer_and_every_answer_is_as_common(benchmark: str) -> None:
    capability = CAPABILITIES[benchmark]
    for seed in SEEDS:
        facts = draw_world(seed).facts[benchmark]
        assert tuple(facts) == capability.keys
        counts = Counter(facts.values())
        assert counts == dict.fromkeys(capability.answers, len(capability.keys) // len(capability.answers))


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_the_seed_draws_knowledge_and_leaves_rules_alone(benchmark: str) -> None:
    pairings = {tuple(draw_world(seed).facts[benchmark].items()) for seed in SEEDS}
    assert len(pairings) == (1 if CAPABILITIES[benchmark].fixed else len(SEEDS))


def test_a_topic_has_the_capability_that_was_planted_in_it() -> None:
    world = draw_world(42)
    home = {topic: name for name, topics in world.planted.items() for topic in topics}
    assert {topic: world.capability_of(topic) for topic in TOPICS} == {topic: home.get(topic) for topic in TOPICS}
