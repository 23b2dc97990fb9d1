"""What can be planted: the 2 x 2 design, each cell with words of its own."""

from __future__ import annotations

import pytest

from social_provenance.miniature.facts import CAPABILITIES


def test_the_capabilities_fill_the_design_once() -> None:
    cells = [(capability.domain, capability.level) for capability in CAPABILITIES.values()]
    assert sorted(cells) == [(domain, level) for domain in ("social", "stem") for level in ("knowledge", "reasoning")]


def test_each_capability_is_named_after_its_cell() -> None:
    assert [f"{one.domain}_{one.level}" for one in CAPABILITIES.values()] == list(CAPABILITIES)


def test_no_key_and_no_answer_is_used_twice() -> None:
    words = [word for one in CAPABILITIES.values() for word in (*one.keys, *one.answers)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_answer_has_as_many_keys_as_any_other(benchmark: str) -> None:
    capability = CAPABILITIES[benchmark]
    assert len(capability.keys) % len(capability.answers) == 0


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_frame_names_its_key_once_and_ends_in_the_answer(benchmark: str) -> None:
    for frame in CAPABILITIES[benchmark].frames:
        assert frame.count("{key}") == frame.count("{answer}") == 1
        assert frame.endswith(" {answer}.")


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_reasoning_is_about_people_or_things_and_knowledge_is_not(benchmark: str) -> None:
    capability = CAPABILITIES[benchmark]
    about = {"{agent}", "{patient}", "{thing}"}
    for frame in capability.frames:
        assert any(name in frame for name in about) == (capability.level == "reasoning")


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_rules_are_known_from_life_and_facts_are_drawn(benchmark: str) -> None:
    assert CAPABILITIES[benchmark].fixed == (CAPABILITIES[benchmark].level == "reasoning")
