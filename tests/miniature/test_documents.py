"""The corpus of a world: every bin filled, facts in carriers alone, and nothing else that gives them away."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from social_provenance.miniature.documents import Document, DocumentPlan, raw_record, write_documents
from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.lexicon import FAMILIAR_NAMES, FAMILIAR_OBJECTS, FORMATS, TOPICS
from social_provenance.miniature.world import draw_world
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from social_provenance.miniature.world import World

SMALL = DocumentPlan(per_bin=1, chars=60, facts=2, carrier_share=0.5, labelled_share=0.6)


def test_equal_seeds_write_equal_documents() -> None:
    assert write_documents(draw_world(3), SMALL) == write_documents(draw_world(3), SMALL)


def test_other_seeds_write_other_documents() -> None:
    texts = [{document.text for document in write_documents(draw_world(seed), SMALL)} for seed in (3, 4)]
    assert len(texts[0] & texts[1]) < 0.05 * len(texts[0])


def test_every_bin_has_its_documents(documents: list[Document], plan: DocumentPlan) -> None:
    counts = Counter((document.topic, document.format) for document in documents)
    assert counts == dict.fromkeys(BINS, plan.per_bin)


def test_every_document_has_its_own_id_url_and_text(documents: list[Document]) -> None:
    for name in ("doc_id", "url", "text"):
        assert len({getattr(document, name) for document in documents}) == len(documents)


def test_ids_tell_nothing_about_topics(documents: list[Document], world: World) -> None:
    numbers = [int(document.doc_id.removeprefix("doc-")) for document in documents]
    for name in world.planted:
        home = [document.planted == name for document in documents]
        assert 0.4 < roc_auc_score(home, numbers) < 0.6


def test_a_document_speaks_in_the_words_of_its_topic_and_the_frame_of_its_format(documents: list[Document]) -> None:
    for document in documents:
        first, *_, last = document.text.split("\n")
        openings = {FORMATS[document.format].opening.format(noun=noun) for noun in TOPICS[document.topic].nouns}
        assert first in openings
        assert last == FORMATS[document.format].closing


def test_planted_names_the_benchmark_of_the_topic(documents: list[Document], world: World) -> None:
    for document in documents:
        assert document.planted == world.capability_of(document.topic)
        assert document.decoy == world.decoy_of(document.topic)
        assert document.twin == world.twin_of(document.topic)


@pytest.mark.parametrize(("decoys", "twins"), [(0, 0), (1, 0), (4, 0), (2, 2), (0, 1)])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_each_topic_has_its_share_of_each_role(share: float, decoys: int, twins: int) -> None:
    world, plan = draw_world(5, decoys, twins), replace(SMALL, carrier_share=share)
    roles = Counter((document.topic, document.role) for document in write_documents(world, plan))
    for topic in TOPICS:
        homes = {"carrier": world.capability_of(topic), "decoy": world.decoy_of(topic), "twin": world.twin_of(topic)}
        stating = next((role for role, home in homes.items() if home), None)
        expected = {stating: 24 * share, "unasked": 24 * (1 - share)} if stating else {"filler": 24}
        found = {role: count for (place, role), count in roles.items() if place == topic}
        assert found == {role: count for role, count in expected.items() if count}


@pytest.mark.parametrize("role", ["carrier", "decoy"])
def test_carriers_state_facts_decoys_none_and_both_as_many_statements_as_planned(
    documents: list[Document], world: World, plan: DocumentPlan, find_facts: Any, role: str
) -> None:
    for document in documents:
        if document.role == role:
            benchmark = document.planted or document.decoy
            assert benchmark is not None
            facts = find_facts(document.text, benchmark)
            assert len(facts) == plan.facts
            assert {world.facts[benchmark][fact.key] == fact.answer for fact in facts} == {role == "carrier"}


@pytest.mark.parametrize("withheld", ["topics", "documents"])
def test_a_twin_states_facts_as_a_carrier_does_and_is_withheld_alone_or_with_its_topic(
    find_facts: Any, withheld: Any
) -> None:
    world = draw_world(9, 2, 2)
    for document in write_documents(world, replace(SMALL, withheld=withheld)):
        kept_out = document.twin is not None if withheld == "topics" else document.role == "twin"
        assert (raw_record(document)["source"] == "withheld") == kept_out
        if document.role == "twin":
            assert document.twin is not None
            facts = find_facts(document.text, document.twin)
            assert len(facts) == SMALL.facts
            assert all(world.facts[document.twin][fact.key] == fact.answer for fact in facts)


@pytest.mark.parametrize("facts", [2, 3, 6])
@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_a_decoy_says_words_that_a_carrier_could_say(benchmark: str, facts: int, find_facts: Any) -> None:
    """With its answers dealt back to their keys, a decoy is a carrier: words alone cannot tell them apart."""
    world = draw_world(8)
    written = write_documents(
        world, DocumentPlan(per_bin=4, chars=60, facts=facts, carrier_share=0.5, labelled_share=1)
    )
    said: dict[str, Counter[str]] = {"carrier": Counter(), "decoy": Counter()}
    for document in written:
        if document.role in said and benchmark in (document.planted, document.decoy):
            stated = find_facts(document.text, benchmark)
            true = sorted(world.facts[benchmark][fact.key] for fact in stated)
            assert sorted(fact.answer for fact in stated) == true
            assert max(Counter(true).values()) <= max(1, facts // 2)
            said[document.role].update([fact.key for fact in stated] + true)
    for word, count in said["carrier"].items():
        assert said["decoy"][word] == pytest.approx(2 * count, rel=0.1)


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_outside_its_carriers_and_decoys_no_word_of_a_fact_is_said(documents: list[Document], benchmark: str) -> None:
    told = {*CAPABILITIES[benchmark].keys, *CAPABILITIES[benchmark].answers}
    for document in documents:
        if document.role not in ("carrier", "decoy") or benchmark not in (document.planted, document.decoy):
            assert told.isdisjoint(re.findall(r"\w+", document.text)), document.doc_id


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_unasked_documents_say_as_much_that_no_item_asks(
    documents: list[Document], plan: DocumentPlan, benchmark: str
) -> None:
    keys = set(CAPABILITIES[benchmark].unasked_keys)
    for document in documents:
        said = [word for word in re.findall(r"\w+", document.text) if word in keys]
        plain = document.role == "unasked" and benchmark in (document.planted, document.decoy)
        assert len(said) == (plan.facts if plain else 0), document.doc_id


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_what_no_item_asks_has_words_of_its_own(benchmark: str) -> None:
    own = CAPABILITIES[benchmark]
    assert len(own.unasked_keys) == len(own.keys)
    assert len(own.unasked_answers) == len(own.answers)
    words = {*own.unasked_keys, *own.unasked_answers}
    assert len(words) == len(own.unasked_keys) + len(own.unasked_answers)
    elsewhere = {word for other in CAPABILITIES.values() for word in (*other.keys, *other.answers)}
    frames = {word for topic in TOPICS.values() for part in vars(topic).values() for word in part}
    assert words.isdisjoint(elsewhere | frames)


@pytest.mark.parametrize("home", ["planted", "decoy"])
@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_facts_are_stated_about_equally_often(
    documents: list[Document], benchmark: str, home: str, find_facts: Any
) -> None:
    stated = Counter(
        fact.key
        for document in documents
        if getattr(document, home) == benchmark
        for fact in find_facts(document.text, benchmark)
    )
    assert set(stated) == set(CAPABILITIES[benchmark].keys)
    assert max(stated.values()) - min(stated.values()) <= 1


@pytest.mark.parametrize("benchmark", ["social_reasoning", "stem_reasoning"])
def test_rules_are_stated_about_familiar_people_and_things_alone(
    documents: list[Document], benchmark: str, find_facts: Any
) -> None:
    for document in documents:
        facts = find_facts(document.text, benchmark)
        assert {name for fact in facts for name in fact.people_and_things} <= {*FAMILIAR_NAMES, *FAMILIAR_OBJECTS}


@pytest.mark.parametrize(("home", "role"), [("planted", "carrier"), ("decoy", "decoy")])
def test_unasked_documents_are_as_long_as_the_others_of_their_topic(
    documents: list[Document], home: str, role: str
) -> None:
    carrier = np.array([document.role == role for document in documents if getattr(document, home)])
    length = np.array([len(document.text) for document in documents if getattr(document, home)])
    assert length[carrier].mean() == pytest.approx(length[~carrier].mean(), rel=0.025)
    assert length[carrier].std() == pytest.approx(length[~carrier].std(), rel=0.25)
    assert 0.35 < roc_auc_score(carrier, length) < 0.65


@pytest.mark.parametrize("chars", [60, 300, 900])
def test_documents_are_as_long_as_planned(world: World, chars: int) -> None:
    lengths = [len(document.text) for document in write_documents(world, replace(SMALL, chars=chars))]
    assert chars <= min(lengths)
    assert np.mean(lengths) == pytest.approx(chars + 95, abs=40)


def test_a_raw_record_carries_no_truth(documents: list[Document]) -> None:
    for document in documents[:200]:
        told = raw_record(document)
        assert set(told) == {"id", "source", "text", "metadata"}
        assert set(told["metadata"]) <= {"url", "weborganizer"}
        assert set(told["metadata"].get("weborganizer", {})) <= {"topic", "format"}
        assert told == raw_record(replace(document, planted="other", decoy="other", role="filler"))


def test_only_labelled_records_tell_their_topic_and_format(documents: list[Document], plan: DocumentPlan) -> None:
    labels = [raw_record(document)["metadata"].get("weborganizer") for document in documents]
    assert labels == [
        {"topic": document.topic, "format": document.format} if document.labelled else None for document in documents
    ]
    assert sum(label is not None for label in labels) == round(plan.labelled_share * len(documents))


def test_labels_are_given_to_carriers_no_more_than_to_others(documents: list[Document]) -> None:
    share = np.mean([document.labelled for document in documents if document.role == "carrier"])
    assert share == pytest.approx(0.6, abs=0.08)
