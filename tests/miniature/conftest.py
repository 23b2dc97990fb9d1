"""A world at the size of the default study, and how to read its documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from social_provenance.miniature.documents import Document, DocumentPlan, write_documents
from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.world import World, draw_world

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Fact:
    """A fact as a text states it: who or what it is about, and where in the text it stands."""

    key: str
    answer: str
    people_and_things: tuple[str, ...]
    span: tuple[int, int]


def find_facts(text: str, benchmark: str) -> list[Fact]:
    """Return the facts of a benchmark that a text states, true or not."""
    capability = CAPABILITIES[benchmark]
    found = []
    for frame in capability.frames:
        pattern = re.escape(frame).replace(r"\{", "{").replace(r"\}", "}")
        groups: dict[str, int] = {}
        for name in re.findall(r"\{(\w+)\}", frame):
            groups[name] = groups.get(name, 0) + 1
            word = "|".join(capability.keys) if name == "key" else r"\w+"
            again = f"(?P={name})" if groups[name] > 1 else f"(?P<{name}>{word})"
            pattern = pattern.replace(f"{{{name}}}", again, 1)
        for match in re.finditer(r"\b" + pattern, text):
            said = match.groupdict()
            key, answer = said.pop("key"), said.pop("answer")
            found.append(Fact(key, answer, tuple(said.values()), match.span()))
    return sorted(found, key=lambda fact: fact.span)


@pytest.fixture(scope="session", name="find_facts")
def _find_facts_fixture() -> Callable[[str, str], list[Fact]]:
    """Return :func:`find_facts`."""
    return find_facts


@pytest.fixture(scope="session")
def plan() -> DocumentPlan:
    """Return the plan of the default study."""
    return DocumentPlan(per_bin=4, chars=300, facts=6, carrier_share=0.5, labelled_share=0.6)


@pytest.fixture(scope="session")
def world() -> World:
    """Return the world of the default study."""
    return draw_world(42)


@pytest.fixture(scope="session")
def documents(world: World, plan: DocumentPlan) -> list[Document]:
    """Return the documents of the default study; nobody may change them."""
    return write_documents(world, plan)
