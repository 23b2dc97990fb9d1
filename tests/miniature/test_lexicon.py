"""The words of the miniature: one vocabulary a topic, one frame a format, and none that gives an answer away."""

from __future__ import annotations

import re
from dataclasses import astuple
from string import Formatter

import pytest

from social_provenance.miniature import lexicon
from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.regions import grid

TOPIC_WORDS = {slug: {w for words in astuple(topic) for w in words} for slug, topic in lexicon.TOPICS.items()}
FRAME_WORDS = {
    slug: set(re.findall(r"\w+", f"{frame.opening} {frame.closing}")) for slug, frame in lexicon.FORMATS.items()
}


def test_every_topic_and_format_of_the_grid_has_its_words() -> None:
    assert tuple(lexicon.TOPICS) == grid.TOPICS
    assert tuple(lexicon.FORMATS) == grid.FORMATS


def test_no_word_belongs_to_two_topics() -> None:
    everything = [word for words in TOPIC_WORDS.values() for word in words]
    assert len(everything) == len(set(everything))


def test_no_two_formats_open_or_close_alike() -> None:
    frames = lexicon.FORMATS.values()
    assert len({frame.opening for frame in frames}) == len({frame.closing for frame in frames}) == 24


def test_every_opening_speaks_of_the_topic_and_nothing_else_is_left_open() -> None:
    for frame in lexicon.FORMATS.values():
        assert [name for _, name, _, _ in Formatter().parse(frame.opening) if name] == ["noun"]
        assert "{" not in frame.closing


def test_new_people_and_things_are_not_familiar_ones() -> None:
    everybody = [*lexicon.FAMILIAR_NAMES, *lexicon.NEW_NAMES, *lexicon.FAMILIAR_OBJECTS, *lexicon.NEW_OBJECTS]
    assert len(everybody) == len(set(everybody))
    assert len(lexicon.NEW_NAMES) >= 2


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_what_facts_are_made_of_is_said_nowhere_else(benchmark: str) -> None:
    told = {*CAPABILITIES[benchmark].keys, *CAPABILITIES[benchmark].answers}
    fillers = {word for filler in lexicon.FILLERS for word in re.findall(r"\w+", filler)}
    things = {*lexicon.FAMILIAR_OBJECTS, *lexicon.NEW_OBJECTS, *lexicon.FAMILIAR_NAMES, *lexicon.NEW_NAMES}
    for words in (*TOPIC_WORDS.values(), *FRAME_WORDS.values(), fillers, things):
        assert told.isdisjoint(words)
