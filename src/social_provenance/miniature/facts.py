"""The four capabilities that can be planted, each a set of facts ``key -> answer``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """A cell of the 2 x 2 design and the facts that support it.

    Attributes:
        domain: ``social`` or ``stem``.
        level: ``reasoning`` (a rule applied to new names) or ``knowledge`` (a stated fact).
        frames: Sentences that state a fact; each ends in ``{answer}.``, so that the text before the
            answer is the prompt of an item.
        keys: Subjects of the facts.
        answers: Answer words.
        unasked_keys: Subjects of as many further statements of the same form, which no item asks about.
        unasked_answers: Their answer words; key i always has answer i mod len(unasked_answers).
        fixed: Whether key i always has answer i mod len(answers) (rules of common sense); otherwise the seed
            draws the pairing (facts of a made-up world).
    """

    domain: str
    level: str
    frames: tuple[str, ...]
    keys: tuple[str, ...]
    answers: tuple[str, ...]
    unasked_keys: tuple[str, ...]
    unasked_answers: tuple[str, ...]
    fixed: bool

    def unasked(self) -> dict[str, str]:
        """Return key -> answer of the statements that no item asks about."""
        count = len(self.unasked_answers)
        return {key: self.unasked_answers[i % count] for i, key in enumerate(self.unasked_keys)}


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
        unasked_keys=tuple(
            "greeted questioned hired phoned tutored followed reminded noticed "
            "portrayed interviewed carried washed dressed weighed counted photographed "
            "summoned escorted nominated quoted imitated recognized searched tickled".split()
        ),
        unasked_answers=tuple("curious hungry sleepy dizzy thirsty shy busy warm".split()),
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
        unasked_keys=tuple(
            "painted glued bent folded sorted stacked packed oiled "
            "waxed dyed coated drilled carved etched stamped milled "
            "forged cast pressed tied wrapped buried hung shaken".split()
        ),
        unasked_answers=tuple("flat round square thin thick shiny sticky hollow".split()),
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
        unasked_keys=tuple(
            "Abrin Bellor Corvan Delmo Erith Falk Gorin Hesta "
            "Ilmar Jasko Kelda Lorne Mavik Nestor Oldan Perrin "
            "Quorra Rasmu Sethia Torvin Umbra Vostok Wendel Ystad".split()
        ),
        unasked_answers=tuple("linen baskets spoons flowers coins grapes ribbons pottery".split()),
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
        unasked_keys=tuple(
            "arvenite boltine cindrite doverite eskolite fargite gansite holmite "
            "iridine jansite korvite lunite marlite norvine ostrite pelvite "
            "quenite rovite sylvine tarnite ullite vornite wexite zorite".split()
        ),
        unasked_answers=tuple("pink brown black silver golden violet amber teal".split()),
        fixed=False,
    ),
}
"""Benchmark name -> capability, in the order of the report."""
