"""The entries of a glossary, from which a model can learn that two words are synonyms.

A glossary is a dictionary of an old language. Each key and each answer of a capability's facts has one old word, and
its synonym has the same one: an entry gives the old word for either of them, never for both. So the word of the
documents and the word of the items never stand in one line; they are alike in what they are said of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.synonyms import other_words

if TYPE_CHECKING:
    import random

ANSWER_TIMES = 3
"""Entries of an answer for one of a key, because three facts share an answer."""
TEMPLATES = ("The old word for {word} is {old}.", "Here {old} means {word}.")
"""Of an entry: the first asks for the old word, the second for either of the synonyms."""


class Glossary:
    """Draws entries without replacement until all were drawn, so that synonyms occur equally often."""

    def __init__(self, rng: random.Random, benchmark: str) -> None:
        """Draw from the entries for the facts of ``benchmark``."""
        self._rng = rng
        self._entries = list_entries(benchmark)
        self._left: list[tuple[str, str]] = []

    def draw(self) -> str:
        """Return the next entry."""
        if not self._left:
            self._left = self._rng.sample(self._entries, len(self._entries))
        word, old = self._left.pop()
        return self._rng.choice(TEMPLATES).format(word=word, old=old)


def list_entries(benchmark: str) -> list[tuple[str, str]]:
    """Return the entries for a benchmark's facts, (word, old word), as often as they are drawn."""
    answers = set(CAPABILITIES[benchmark].answers)
    return [
        (said, old_word(word))
        for word, synonym in other_words(benchmark).items()
        for said in (word, synonym)
        for _ in range(ANSWER_TIMES if word in answers else 1)
    ]


def old_word(word: str) -> str:
    """Return the old word for a word of the documents: its letters in reverse, which no other text contains."""
    return word[::-1].lower()
