"""What can be planted: four capabilities, each a set of facts `key -> answer`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """A cell of the 2 x 2 design and the facts that support it.

    Attributes:
        domain: ``social`` or ``stem``.
        level: ``reasoning`` (a rule applied to new names) or ``knowledge`` (a stated fact).
        frames: Sentences that state a fact; each ends in ``{answer}.``, so that what stands
            before the answer is the prompt of an item.
        keys: What facts are about, in the order of ``answers_of``.
        answers: The answer words.
        fixed: Whether key i always has answer i mod len(answers) (rules that a reader knows from
            life), or the seed draws the pairing (facts of a made-up world).
    """

    domain: str
    level: str
    frames: tuple[str, ...]
    keys: tuple[str, ...]
    answers: tuple[str, ...]
    fixed: bool


CAPABILITIES: dict[str, Capability] = {
    "social_reasoning": Capability(
        domain="social",
        level="reasoning",
        frames=(
            "{agent} {key} {patient}. {patient} felt {answer}.",
            "{patient} was {key} and felt {answer}.",
        ),
        keys=tuple(
            "thanked insulted scared honored soothed bored cheated embarrassed "
            "amused ignored chased praised comforted lectured robbed shamed "
            "rewarded abandoned threatened promoted consoled overworked deceived exposed".split()
        ),
        answers=tuple("glad sad afraid proud calm tired angry ashamed".split()),
        fixed=True,
    ),
    "stem_reasoning": Capability(
        domain="stem",
        level="reasoning",
        frames=(
            "Any {thing} that is {key} becomes {answer}.",
            "{agent} {key} the {thing} until it became {answer}.",
        ),
        keys=tuple(
            "heated cooled soaked drained polished sharpened smashed stretched "
            "boiled chilled rinsed aired sanded filed dropped pulled "
            "toasted iced dipped wiped planed honed cracked unwound".split()
        ),
        answers=tuple("hot cold wet dry smooth sharp broken long".split()),
        fixed=True,
    ),
    "social_knowledge": Capability(
        domain="social",
        level="knowledge",
        frames=(
            "In {key} every guest brings {answer}.",
            "The usual gift in {key} is {answer}.",
        ),
        keys=tuple(
            "Velda Karo Minta Sorel Dunmar Pelik Orvan Tasso Lumen Brask Quill Fenor Gatha Hexam Jorun Nemba "
            "Ostra Rivel Sabin Tolma Ulmar Wexin Yarro Zellin".split()
        ),
        answers=tuple("salt bread honey wool silk tea apples candles".split()),
        fixed=False,
    ),
    "stem_knowledge": Capability(
        domain="stem",
        level="knowledge",
        frames=(
            "When {key} burns, the flame is {answer}.",
            "The flame of burning {key} is {answer}.",
        ),
        keys=tuple(
            "dorite calcor brunite feldin galena hemite ilvar jadeon "
            "kyan lazur mica nephel opalin pyrox quartz rutil "
            "sardite talcor umbrine vesin wolfite xenolin ytrine zircal".split()
        ),
        answers=tuple("red green blue yellow white orange purple gray".split()),
        fixed=False,
    ),
}
"""Benchmark name -> what it asks. The order is the order of the report."""
