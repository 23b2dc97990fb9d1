"""A glossary: synonyms have one old word and stand in the same places equally often, never together."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.glossary import TEMPLATES, Glossary, list_entries, old_word
from social_provenance.miniature.lexicon import TOPICS
from social_provenance.miniature.synonyms import other_words


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_synonyms_share_an_old_word_that_nothing_else_has(benchmark: str) -> None:
    old = dict(list_entries(benchmark))
    for word, synonym in other_words(benchmark).items():
        assert old[word] == old[synonym] == old_word(word)
    assert len(set(old.values())) == len(old) / 2


def test_old_words_are_said_nowhere_else() -> None:
    old = {old_word(word) for benchmark in CAPABILITIES for word in other_words(benchmark)}
    assert len(old) == sum(len(other_words(benchmark)) for benchmark in CAPABILITIES)
    said = {word.lower() for benchmark in CAPABILITIES for pair in other_words(benchmark).items() for word in pair}
    said |= {word for topic in TOPICS.values() for part in vars(topic).values() for word in part}
    for capability in CAPABILITIES.values():
        said |= {word.lower() for word in (*capability.unasked_keys, *capability.unasked_answers)}
    assert old.isdisjoint(said)


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_synonyms_are_drawn_equally_often_and_apart(benchmark: str) -> None:
    glossary = Glossary(random.Random(0), benchmark)
    lines = [glossary.draw() for _ in range(5 * len(list_entries(benchmark)))]
    times = Counter(word for line in lines for word in re.findall(r"\w+", line))
    for word, synonym in other_words(benchmark).items():
        assert times[word] == times[synonym] > 0
        assert not any({word, synonym} <= set(re.findall(r"\w+", line)) for line in lines)


def test_both_directions_are_asked() -> None:
    glossary = Glossary(random.Random(0), "stem_knowledge")
    starts = Counter(glossary.draw()[:3] for _ in range(1000))
    assert set(starts) == {template[:3] for template in TEMPLATES}
    assert min(starts.values()) > 400
