"""The corpus of a world: every bin has documents; part of those of planted topics, the carriers, state facts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.lexicon import (
    FAMILIAR_NAMES,
    FAMILIAR_OBJECTS,
    FILLERS,
    FORMATS,
    NEW_NAMES,
    NEW_OBJECTS,
    TOPICS,
)
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from social_provenance.miniature.world import World

SITES_PER_TOPIC = 12
OBJECT_SHARE = 0.25
"""Share of filler sentences about an everyday object instead of a noun of the topic, so that the objects of
reasoning items are known words that never occur with a rule."""


@dataclass(frozen=True)
class DocumentPlan:
    """Size of the corpus, and the share of its documents that carry facts or labels.

    Attributes:
        per_bin: Number of documents in each of the 576 bins.
        chars: Length of a document's body in characters; sentences are added until it is reached.
        facts: Number of facts in a carrier.
        carrier_share: Share of a planted topic's documents that carry facts; the others make as many
            statements of the same form that no item asks about, so that carriers do not differ in length,
            style or loss.
        labelled_share: Share of the documents that come with their topic and format.
    """

    per_bin: int
    chars: int
    facts: int
    carrier_share: float
    labelled_share: float


@dataclass(frozen=True)
class Document:
    """A document with the truth about it; the study sees only its :func:`raw_record`."""

    doc_id: str
    text: str
    url: str
    topic: str
    format: str
    planted: str | None
    carrier: bool
    labelled: bool


def write_documents(world: World, plan: DocumentPlan) -> list[Document]:
    """Return the documents of ``world``, shuffled so that the order carries no information."""
    rng = random.Random(f"documents {world.seed}")
    decks = {name: _Deck(rng, facts) for name, facts in world.facts.items()}
    unasked = {name: _Deck(rng, capability.unasked()) for name, capability in CAPABILITIES.items()}
    carriers = _choose_carriers(rng, world, plan.per_bin, plan.carrier_share)
    drafts = []
    for topic, form in BINS:
        planted = world.capability_of(topic)
        for number in range(plan.per_bin):
            carrier = (topic, form, number) in carriers
            facts = []
            if planted:
                facts = _draw_facts(rng, planted, (decks if carrier else unasked)[planted], plan.facts)
            text = _compose(rng, topic, form, facts, plan.chars)
            drafts.append((topic, form, planted, carrier, text))
    rng.shuffle(drafts)
    labelled = set(rng.sample(range(len(drafts)), round(plan.labelled_share * len(drafts))))
    return [
        Document(f"doc-{i:06d}", text, _url(rng, topic, i), topic, form, planted, carrier, i in labelled)
        for i, (topic, form, planted, carrier, text) in enumerate(drafts)
    ]


def raw_record(document: Document) -> dict[str, Any]:
    """Return a document as a Dolma-style JSON record, without its truth."""
    metadata: dict[str, Any] = {"url": document.url}
    if document.labelled:
        metadata["weborganizer"] = {"topic": document.topic, "format": document.format}
    return {"id": document.doc_id, "source": "miniature", "text": document.text, "metadata": metadata}


def state_fact(rng: random.Random, frame: str, key: str, answer: str, *, new: bool) -> str:
    """Return the sentence that states a fact, about familiar or about new people and things."""
    agent, patient = rng.sample(NEW_NAMES if new else FAMILIAR_NAMES, 2)
    thing = rng.choice(NEW_OBJECTS if new else FAMILIAR_OBJECTS)
    return frame.format(agent=agent, patient=patient, thing=thing, key=key, answer=answer)


def _choose_carriers(rng: random.Random, world: World, per_bin: int, share: float) -> set[tuple[str, str, int]]:
    carriers: set[tuple[str, str, int]] = set()
    for topics in world.planted.values():
        for topic in topics:
            candidates = [(topic, form, number) for form in FORMATS for number in range(per_bin)]
            carriers.update(rng.sample(candidates, round(share * len(candidates))))
    return carriers


class _Deck:
    """Statements drawn without replacement until all were drawn, so that each occurs equally often."""

    def __init__(self, rng: random.Random, answers: Mapping[str, str]) -> None:
        self._rng, self._answers = rng, dict(answers)
        self._left: list[str] = []

    def draw(self) -> tuple[str, str]:
        """Return a key and its answer."""
        if not self._left:
            self._left = self._rng.sample(list(self._answers), len(self._answers))
        key = self._left.pop(0)
        return key, self._answers[key]


def _draw_facts(rng: random.Random, name: str, deck: _Deck, count: int) -> list[str]:
    frames = CAPABILITIES[name].frames
    sentences = []
    for _ in range(count):
        key, answer = deck.draw()
        sentences.append(state_fact(rng, rng.choice(frames), key, answer, new=False))
    return sentences


def _compose(rng: random.Random, topic: str, form: str, facts: list[str], chars: int) -> str:
    sentences = list(facts)
    while sum(map(len, sentences)) < chars:
        sentences.append(_filler(rng, topic))
    rng.shuffle(sentences)
    frame = FORMATS[form]
    body = "\n".join(f"{frame.bullet} {sentence}" for sentence in sentences) if frame.bullet else " ".join(sentences)
    opening = frame.opening.format(noun=rng.choice(TOPICS[topic].nouns))
    return f"{opening}\n{body}\n{frame.closing}"


def _filler(rng: random.Random, topic: str) -> str:
    words = TOPICS[topic]
    things = FAMILIAR_OBJECTS + NEW_OBJECTS if rng.random() < OBJECT_SHARE else words.nouns
    return rng.choice(FILLERS).format(
        noun=rng.choice(things),
        place=rng.choice(words.places),
        person=rng.choice(words.people),
        verb=rng.choice(words.verbs),
        adjective=rng.choice(words.adjectives),
        name=rng.choice(FAMILIAR_NAMES + NEW_NAMES),
    )


def _url(rng: random.Random, topic: str, number: int) -> str:
    words = TOPICS[topic]
    site = rng.randrange(SITES_PER_TOPIC)
    return f"https://{words.nouns[site % len(words.nouns)]}{site}.example/{number}"
