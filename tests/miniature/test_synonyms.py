"""Synonyms: one for each content word of a fact, and no word of anything else."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.synonyms import SYNONYMS, other_words


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_key_and_answer_has_a_synonym(benchmark: str) -> None:
    capability = CAPABILITIES[benchmark]
    assert tuple(other_words(benchmark)) == (*capability.keys, *capability.answers)


def test_no_word_is_a_synonym_of_two() -> None:
    pairs = [pair for benchmark in CAPABILITIES for pair in other_words(benchmark).items()]
    times = Counter(word.lower() for pair in pairs for word in pair)
    assert set(times.values()) == {1}


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_frames_have_the_places_of_those_of_the_documents(benchmark: str) -> None:
    """An item of one frame then asks for the same in the other, and its answer is still the last word."""
    for own, other in zip(CAPABILITIES[benchmark].frames, SYNONYMS[benchmark].frames, strict=True):
        assert Counter(re.findall(r"\{\w+\}", own)) == Counter(re.findall(r"\{\w+\}", other))
        assert other.endswith(" {answer}.")
        assert own != other
