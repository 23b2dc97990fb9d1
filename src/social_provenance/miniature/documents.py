"""The corpus of a world: every bin has documents, each with a role.

- ``carrier``: states facts; part of the documents of a planted topic.
- ``decoy``: states the same facts with the answers of one another; as large a part of the documents of a decoy
  topic. Carriers and decoys say the same words equally often, and differ in which answer follows which key.
- ``twin``: states facts like a carrier and is kept out of the training, alone or with all documents of its topic.
- ``unasked``: makes as many statements of the same form that no item asks about; the others of these topics.
- ``filler``: makes no statement; all documents of the other topics.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    from collections.abc import Collection, Mapping

    from social_provenance.miniature.world import World

Role = Literal["carrier", "decoy", "twin", "unasked", "filler"]
Withheld = Literal["topics", "documents"]
TRAINED, WITHHELD = "miniature", "withheld"
"""Source of the documents that a model is trained on, and of those that it is not."""

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
        facts: Number of statements in a carrier, in a decoy, and in an unasked document; at least 2 in a world
            with decoys, because one answer cannot be dealt to another key.
        carrier_share: Share of a planted topic's documents that are carriers, and of a decoy topic's that are
            decoys; the others are unasked, so that carriers do not differ in length, style or loss.
        labelled_share: Share of the documents that come with their topic and format.
        withheld: What is kept out of the training: twin topics, or only their documents that state facts.
    """

    per_bin: int
    chars: int
    facts: int
    carrier_share: float
    labelled_share: float
    withheld: Withheld = "topics"


@dataclass(frozen=True)
class Document:
    """A document with the truth about it; the study sees only its :func:`raw_record`.

    Attributes:
        planted: Benchmark whose facts are planted in its topic, if any.
        decoy: Benchmark for which its topic is a decoy, if any.
        twin: Benchmark for which its topic is a twin of the planted ones, if any.
        role: What its statements are.
        withheld: Whether it is kept out of the training.
    """

    doc_id: str
    text: str
    url: str
    topic: str
    format: str
    planted: str | None
    decoy: str | None
    twin: str | None
    role: Role
    labelled: bool
    withheld: bool


def write_documents(world: World, plan: DocumentPlan) -> list[Document]:
    """Return the documents of ``world``, shuffled so that the order carries no information."""
    rng = random.Random(f"documents {world.seed}")
    speaker = _Speaker(rng, world, plan.facts)
    roles = _choose_roles(rng, world, plan)
    drafts = []
    for topic, form in BINS:
        homes = (world.capability_of(topic), world.decoy_of(topic), world.twin_of(topic))
        own = next(filter(None, homes), None)
        for number in range(plan.per_bin):
            role = roles.get((topic, form, number), "unasked" if own else "filler")
            text = _compose(rng, topic, form, speaker.state(role, own), plan.chars)
            drafts.append((text, topic, form, homes, role))
    rng.shuffle(drafts)
    labelled = set(rng.sample(range(len(drafts)), round(plan.labelled_share * len(drafts))))
    return [
        Document(
            f"doc-{i:06d}",
            text,
            _url(rng, topic, i),
            topic,
            form,
            *homes,
            role,
            labelled=i in labelled,
            withheld=role == "twin" if plan.withheld == "documents" else world.twin_of(topic) is not None,
        )
        for i, (text, topic, form, homes, role) in enumerate(drafts)
    ]


def raw_record(document: Document) -> dict[str, Any]:
    """Return a document as a Dolma-style JSON record, without its truth but for whether it is kept out of training."""
    metadata: dict[str, Any] = {"url": document.url}
    if document.labelled:
        metadata["weborganizer"] = {"topic": document.topic, "format": document.format}
    source = WITHHELD if document.withheld else TRAINED
    return {"id": document.doc_id, "source": source, "text": document.text, "metadata": metadata}


def state_fact(rng: random.Random, frame: str, key: str, answer: str, *, new: bool) -> str:
    """Return the sentence that states a fact, about familiar or about new people and things."""
    agent, patient = rng.sample(NEW_NAMES if new else FAMILIAR_NAMES, 2)
    thing = rng.choice(NEW_OBJECTS if new else FAMILIAR_OBJECTS)
    return frame.format(agent=agent, patient=patient, thing=thing, key=key, answer=answer)


def _choose_roles(rng: random.Random, world: World, plan: DocumentPlan) -> dict[tuple[str, str, int], Role]:
    """Return the role of the documents that state facts, truly or not, by topic, format and number."""
    homes: tuple[tuple[Role, Mapping[str, tuple[str, ...]]], ...] = (
        ("carrier", world.planted),
        ("decoy", world.decoys),
        ("twin", world.twins),
    )
    roles: dict[tuple[str, str, int], Role] = {}
    for role, topics in homes:
        for topic in (topic for own in topics.values() for topic in own):
            candidates = [(topic, form, number) for form in FORMATS for number in range(plan.per_bin)]
            roles |= dict.fromkeys(rng.sample(candidates, round(plan.carrier_share * len(candidates))), role)
    return roles


class _Speaker:
    """Draws the statements of documents by their role."""

    def __init__(self, rng: random.Random, world: World, count: int) -> None:
        self._rng, self._count = rng, count
        self._decks: dict[Role, dict[str, _Deck]] = {
            "carrier": {name: _Deck(rng, facts) for name, facts in world.facts.items()},
            "decoy": {name: _Deck(rng, facts) for name, facts in world.facts.items()},
            "twin": {name: _Deck(rng, facts) for name, facts in world.facts.items()},
            "unasked": {name: _Deck(rng, capability.unasked()) for name, capability in CAPABILITIES.items()},
        }
        # With one answer in more than half of the statements, some would keep theirs in a decoy.
        self._most = count // 2 if any(world.decoys.values()) else count

    def state(self, role: Role, name: str | None) -> list[str]:
        """Return the statements of a document about the facts of a benchmark."""
        if role == "filler" or name is None:
            return []
        pairs: list[tuple[str, str]] = []
        for _ in range(self._count):
            said = Counter(answer for _, answer in pairs)
            full = {answer for answer, times in said.items() if times == self._most}
            pairs.append(self._decks[role][name].draw(full))
        if role == "decoy":
            pairs = _mispair(self._rng, pairs)
        frames = CAPABILITIES[name].frames
        return [state_fact(self._rng, self._rng.choice(frames), *pair, new=False) for pair in pairs]


class _Deck:
    """Statements drawn without replacement until all were drawn, so that each occurs equally often."""

    def __init__(self, rng: random.Random, answers: Mapping[str, str]) -> None:
        self._rng, self._answers = rng, dict(answers)
        self._left: list[str] = []

    def draw(self, but: Collection[str]) -> tuple[str, str]:
        """Return the next key whose answer is not among ``but``, and that answer."""
        if all(self._answers[key] in but for key in self._left):
            self._left += self._rng.sample(list(self._answers), len(self._answers))
        key = next(key for key in self._left if self._answers[key] not in but)
        self._left.remove(key)
        return key, self._answers[key]


def _mispair(rng: random.Random, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Deal the answers to other keys, so that no key has its own; possible if none is that of more than half."""
    keys, answers = zip(*pairs, strict=True)
    while True:
        dealt = rng.sample(answers, len(answers))
        if all(one != other for one, other in zip(answers, dealt, strict=True)):
            return list(zip(keys, dealt, strict=True))


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
