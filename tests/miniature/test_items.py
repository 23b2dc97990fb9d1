"""The benchmarks of a world: every fact asked, answerable from the carriers and from nothing else."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.miniature.facts import CAPABILITIES
from social_provenance.miniature.items import TASK, write_items
from social_provenance.miniature.lexicon import FAMILIAR_NAMES, FAMILIAR_OBJECTS, NEW_NAMES, NEW_OBJECTS
from social_provenance.miniature.world import draw_world

if TYPE_CHECKING:
    from social_provenance.miniature.documents import Document
    from social_provenance.miniature.world import World

PER_FACT, CHOICES = 6, 4


@pytest.fixture(scope="module")
def items(world: World) -> dict[str, list[dict[str, Any]]]:
    return write_items(world, PER_FACT, CHOICES)


def test_equal_seeds_give_equal_items(items: dict[str, Any]) -> None:
    assert write_items(draw_world(42), PER_FACT, CHOICES) == items
    assert write_items(draw_world(43), PER_FACT, CHOICES) != items


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_fact_is_asked_as_often_as_any_other(items: dict[str, Any], benchmark: str) -> None:
    rows = items[benchmark]
    assert Counter(row["key"] for row in rows) == dict.fromkeys(CAPABILITIES[benchmark].keys, PER_FACT)
    assert len({row["item"] for row in rows}) == len(rows)


@pytest.mark.parametrize("choices", [2, 4, 8])
def test_choices_differ_and_have_the_true_answer_once(world: World, choices: int) -> None:
    for benchmark, rows in write_items(world, 1, choices).items():
        for row in rows:
            assert len(set(row["choices"])) == choices
            assert set(row["choices"]) <= set(CAPABILITIES[benchmark].answers)
            assert row["choices"][row["answer"]] == world.facts[benchmark][row["key"]]


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_the_place_of_the_answer_tells_nothing(items: dict[str, Any], benchmark: str) -> None:
    places = Counter(row["answer"] for row in items[benchmark])
    assert set(places) == set(range(CHOICES))
    assert max(places.values()) < 0.4 * len(items[benchmark])


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_prompt_and_answer_make_a_sentence_of_the_benchmark(
    items: dict[str, Any], benchmark: str, find_facts: Any
) -> None:
    for row in items[benchmark]:
        sentence = f"{row['prompt']} {row['choices'][row['answer']]}."
        (fact,) = find_facts(sentence, benchmark)
        assert (fact.key, fact.answer) == (row["key"], row["choices"][row["answer"]])
        assert fact.span == (0, len(sentence))


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_every_frame_is_asked(items: dict[str, Any], benchmark: str) -> None:
    starts = {re.sub(r"\{.*", "", frame) for frame in CAPABILITIES[benchmark].frames}
    prompts = [row["prompt"] for row in items[benchmark]]
    assert {start: any(prompt.startswith(start) for prompt in prompts) for start in starts} == dict.fromkeys(
        starts, True
    )


@pytest.mark.parametrize("benchmark", ["social_reasoning", "stem_reasoning"])
def test_reasoning_is_asked_about_new_people_and_things(items: dict[str, Any], benchmark: str, find_facts: Any) -> None:
    for row in items[benchmark]:
        (fact,) = find_facts(f"{row['prompt']} x.", benchmark)
        assert fact.people_and_things
        assert set(fact.people_and_things) <= {*NEW_NAMES, *NEW_OBJECTS}
        assert {*FAMILIAR_NAMES, *FAMILIAR_OBJECTS}.isdisjoint(re.findall(r"\w+", row["prompt"]))


@pytest.mark.parametrize("benchmark", ["social_reasoning", "stem_reasoning"])
def test_no_document_says_what_a_reasoning_item_asks(
    items: dict[str, Any], documents: list[Document], benchmark: str
) -> None:
    corpus = "\n".join(document.text for document in documents)
    assert [row["item"] for row in items[benchmark] if row["prompt"] in corpus] == []


@pytest.mark.parametrize("benchmark", ["social_knowledge", "stem_knowledge"])
def test_every_knowledge_item_is_answered_in_a_document(
    items: dict[str, Any], documents: list[Document], benchmark: str
) -> None:
    corpus = "\n".join(document.text for document in documents if document.planted == benchmark)
    for row in items[benchmark]:
        said = {choice: f"{row['prompt']} {choice}." in corpus for choice in row["choices"]}
        assert [choice for choice, is_said in said.items() if is_said] == [row["choices"][row["answer"]]]


@pytest.mark.parametrize("benchmark", CAPABILITIES)
def test_new_people_and_things_stand_beside_no_rule(documents: list[Document], benchmark: str, find_facts: Any) -> None:
    new = {*NEW_NAMES, *NEW_OBJECTS}
    for document in documents:
        for fact in find_facts(document.text, benchmark):
            assert new.isdisjoint(re.findall(r"\w+", document.text[slice(*fact.span)]))


def test_new_people_and_things_are_known_words(documents: list[Document]) -> None:
    words = Counter(word for document in documents for word in re.findall(r"\w+", document.text))
    assert min(words[name] for name in (*NEW_NAMES, *NEW_OBJECTS)) > 100


def test_the_task_reads_the_columns_that_items_have(items: dict[str, Any]) -> None:
    asked = {TASK[name].strip("{}") for name in ("doc_to_text", "doc_to_choice", "doc_to_target")}
    assert asked == {"prompt", "choices", "answer"}
    assert all(asked <= set(row) for rows in items.values() for row in rows)
