"""Synonyms of every content word of a fact, so that items can ask in words that no statement of it has."""

from __future__ import annotations

from dataclasses import dataclass

from social_provenance.miniature.facts import CAPABILITIES


@dataclass(frozen=True)
class Synonyms:
    """Other words for the facts of a capability, in the order of its own.

    Attributes:
        frames: The frames of its facts with other content words; function words stay.
        keys: Another word for each key.
        answers: Another word for each answer.
    """

    frames: tuple[str, ...]
    keys: tuple[str, ...]
    answers: tuple[str, ...]


SYNONYMS: dict[str, Synonyms] = {
    "social_reasoning": Synonyms(
        frames=(
            "{agent} {key} {patient}. {patient} seemed {answer}.",
            "{patient} was {key} and seemed {answer}.",
        ),
        keys=tuple(
            "acknowledged offended frightened celebrated pacified wearied swindled flustered "
            "entertained overlooked hounded applauded reassured admonished mugged disgraced "
            "compensated deserted menaced advanced solaced overburdened misled unmasked".split()
        ),
        answers=tuple("happy gloomy fearful dignified serene weary furious sheepish".split()),
    ),
    "stem_reasoning": Synonyms(
        frames=(
            "Any {thing} that is {key} turns {answer}.",
            "{agent} {key} the {thing} until it turned {answer}.",
        ),
        keys=tuple(
            "warmed refrigerated drenched emptied buffed whetted shattered extended "
            "simmered frosted sluiced ventilated scoured rasped toppled tugged "
            "grilled frozen submerged mopped levelled edged fractured uncoiled".split()
        ),
        answers=tuple("scorching chilly moist arid sleek keen ruined lengthy".split()),
    ),
    "social_knowledge": Synonyms(
        frames=(
            "In {key} every visitor carries {answer}.",
            "The customary present in {key} is {answer}.",
        ),
        keys=tuple(
            "Ackley Bostwin Cradoc Delvin Ersham Fothry Glenar Hobrin Iskald Jenwick Kirrow Lanvey "
            "Mossel Norbick Oxlade Pembry Quarn Rothley Stavel Thurle Upwell Varnock Withen Yoxley".split()
        ),
        answers=tuple("seasoning loaves nectar fleece satin brew pippins tapers".split()),
    ),
    "stem_knowledge": Synonyms(
        frames=(
            "When {key} smoulders, the fire is {answer}.",
            "The fire of smouldering {key} is {answer}.",
        ),
        keys=tuple(
            "altarin borvex cendrol dunolite emberol fennarite glaucol harvex ilmenol jasporn keldrite lorvane "
            "mornex nirvite ochrol pardane quillex rosvane selvite tornol umberex valdrane wynnite yorvane".split()
        ),
        answers=tuple("crimson emerald azure lemon ivory tangerine mauve ashen".split()),
    ),
}
"""Benchmark name -> other words."""


def other_words(benchmark: str) -> dict[str, str]:
    """Return each key and answer of a benchmark's facts with its synonym."""
    own, other = CAPABILITIES[benchmark], SYNONYMS[benchmark]
    return dict(zip((*own.keys, *own.answers), (*other.keys, *other.answers), strict=True))
