"""Nulls keep the form of the queries and break what is asked; an item that cannot have one is named."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from social_provenance.errors import AttributionError
from social_provenance.gradients.queries.nulls import NULLS
from social_provenance.gradients.query_set import ITEMS

# ---- shuffled answers


@pytest.mark.parametrize("seed", range(10))
def test_shuffled_answers_are_the_same_answers_at_the_same_prompts_and_nobody_has_their_own(
    seed: int, make_requests: Any, tables: Any
) -> None:
    requests = make_requests(items=31, seed=seed)
    queries = tables.build(requests, nulls=["shuffled_answers"], seed=seed)
    for benchmark in ("siqa", "arc"):
        items, null = tables.of(queries, ITEMS, benchmark), tables.of(queries, "shuffled_answers", benchmark)
        assert tables.answers(null) == tables.answers(items)
        assert null["prompt_ids"].equals(items["prompt_ids"])
        assert (null["answer_ids"] != items["answer_ids"]).all()


@pytest.mark.parametrize("common", range(31))
def test_as_few_answers_stay_where_they_are_as_their_numbers_allow(
    common: int, make_requests: Any, tables: Any
) -> None:
    """Of m equal answers among n, at most n - m can go to an item of another answer."""
    requests = make_requests(items=30)
    gold = requests[requests["is_gold"] & (requests["benchmark"] == "siqa")].reset_index(drop=True)
    texts = [" glad"] * common + [(" hot", " cold", " salt")[place % 3] for place in range(30 - common)]
    gold = gold.assign(completion=texts, completion_ids=[[_token_of(text)] for text in texts])
    queries = tables.build(tables.shuffled(gold, common), nulls=["shuffled_answers"])
    kept = (tables.of(queries, "shuffled_answers")["answer_ids"] == tables.of(queries, ITEMS)["answer_ids"]).sum()
    assert kept == max(0, 2 * max(Counter(texts).values()) - 30)


def _token_of(text: str) -> int:
    return sum(text.encode())


def test_where_all_answers_differ_each_permutation_without_a_fixed_answer_comes_up(
    make_requests: Any, tables: Any
) -> None:
    rows = make_requests(items=4).query("is_gold and benchmark == 'siqa'").reset_index(drop=True)
    rows = rows.assign(completion=list("abcd"), completion_ids=[[number] for number in range(4)])
    found = {
        tuple(
            token
            for (token,) in tables.of(tables.build(rows, nulls=["shuffled_answers"], seed=seed), NULLS[0])["answer_ids"]
        )
        for seed in range(70)
    }
    assert len(found) == 9  # derangements of four


def test_equal_texts_with_other_blanks_are_one_answer(make_requests: Any, tables: Any) -> None:
    rows = make_requests(items=4).query("is_gold and benchmark == 'siqa'").reset_index(drop=True)
    rows = rows.assign(completion=[" hot", "hot ", " cold", "cold"], completion_ids=[[1], [2], [3], [4]])
    for seed in range(20):
        null = tables.of(tables.build(rows, nulls=["shuffled_answers"], seed=seed), "shuffled_answers")
        assert [token in (1, 2) for (token,) in null["answer_ids"]] == [False, False, True, True]


# ---- wrong answers


def test_a_wrong_answer_is_a_wrong_choice_of_the_same_item(requests: pd.DataFrame, tables: Any) -> None:
    null = tables.of(tables.build(requests, nulls=["wrong_answers"]), "wrong_answers")
    wrong = requests[(requests["benchmark"] == "siqa") & ~requests["is_gold"]]
    choices = wrong.groupby("item")["completion_ids"].agg(list)
    assert all(answer in choices[item] for item, answer in null["answer_ids"].items())
    prompts = requests[requests["benchmark"] == "siqa"].drop_duplicates("item").set_index("item")["prompt_ids"]
    assert null["prompt_ids"].equals(prompts[null.index])


def test_each_wrong_choice_of_an_item_comes_up(requests: pd.DataFrame, tables: Any) -> None:
    drawn = {
        tuple(
            tables.of(tables.build(requests, nulls=["wrong_answers"], seed=seed), "wrong_answers")["answer_ids"].iloc[0]
        )
        for seed in range(20)
    }
    assert len(drawn) == 2


def test_where_the_choices_are_prompts_the_wrong_one_is_taken_whole(requests: pd.DataFrame, tables: Any) -> None:
    numbered = requests.assign(
        prompt_ids=[[choice, 7] for choice in requests["choice"]], completion_ids=[[5]] * len(requests)
    )
    queries = tables.build(numbered, nulls=["wrong_answers"])
    items, null = tables.of(queries, ITEMS), tables.of(queries, "wrong_answers")
    assert (items["prompt_ids"] != null["prompt_ids"]).all()
    assert items["answer_ids"].equals(null["answer_ids"])


def test_an_item_of_one_choice_is_named(requests: pd.DataFrame, tables: Any) -> None:
    single = requests[(requests["item"] != "siqa/7") | requests["is_gold"]]
    said = "benchmark siqa, item siqa/7: it has one choice, so the null 'wrong_answers' has no wrong one to take"
    with pytest.raises(AttributionError, match=said):
        tables.build(single, nulls=["wrong_answers"])


# ---- other benchmark


@pytest.mark.parametrize("count", [2, 3, 5])
def test_benchmarks_give_their_answers_in_one_cycle(count: int, requests: pd.DataFrame, tables: Any) -> None:
    """Each gets those of exactly one other, equally often, and keeps its prompts."""
    own = requests[requests["benchmark"] == "siqa"]
    names = [f"b{number}" for number in range(count)]
    several = pd.concat(
        own.assign(benchmark=name, completion_ids=[[place]] * len(own)).iloc[: 30 * (place + 1)]
        for place, name in enumerate(names)
    )
    cycles = set()
    for seed in range(12):
        queries = tables.build(several, nulls=["other_benchmark"], seed=seed)
        givers = []
        for name in names:
            items, null = tables.of(queries, ITEMS, name), tables.of(queries, "other_benchmark", name)
            assert null["prompt_ids"].equals(items["prompt_ids"])
            (giver,) = {answer for (answer,) in null["answer_ids"]}
            givers.append(giver)
        assert sorted(givers) == list(range(count))
        assert all(giver != place for place, giver in enumerate(givers))
        walked = [0]
        while (following := givers[walked[-1]]) != 0:
            walked.append(following)
        assert len(walked) == count
        cycles.add(tuple(givers))
    assert (len(cycles) > 1) == (count > 2)


def test_the_answers_of_the_other_benchmark_are_dealt_equally_often(requests: pd.DataFrame, tables: Any) -> None:
    few = requests[(requests["benchmark"] == "siqa") | requests["item"].isin([f"arc/{number}" for number in range(7)])]
    few = few.assign(completion_ids=[[number] for number in range(len(few))])
    dealt = tables.answers(tables.of(tables.build(few, nulls=["other_benchmark"]), "other_benchmark"))
    assert len(dealt) == 7
    assert set(dealt.values()) == {8, 9}  # 60 items


def test_a_single_benchmark_has_no_other(requests: pd.DataFrame, tables: Any) -> None:
    alone = requests[requests["benchmark"] == "siqa"]
    said = "benchmark siqa, item siqa/0: it is of the only benchmark, so the null 'other_benchmark' has no other one"
    with pytest.raises(AttributionError, match=said):
        tables.build(alone, nulls=["other_benchmark"])


# ---- generic text


def test_generic_text_is_the_beginning_of_a_document_as_long_as_the_item(
    requests: pd.DataFrame, held_out: Any, tables: Any
) -> None:
    queries = tables.build(requests, held_out)
    items, null = tables.of(queries, ITEMS), tables.of(queries, "generic_text")
    for column in ("prompt_ids", "answer_ids"):
        assert null[column].map(len).equals(items[column].map(len))
    for prompt, answer in zip(null["prompt_ids"], null["answer_ids"], strict=True):
        passage = prompt + answer
        assert passage == held_out[passage[0] // 1000][: len(passage)]


@pytest.mark.parametrize("documents", [1, 7, 40])
def test_documents_serve_equally_often_where_all_are_long_enough(
    documents: int, requests: pd.DataFrame, held_out: Any, tables: Any
) -> None:
    queries = tables.build(requests, [document + [0] * 100 for document in held_out[:documents]])
    served = Counter(prompt[0] for prompt in tables.of(queries, "generic_text")["prompt_ids"])
    assert len(served) == documents
    assert max(served.values()) - min(served.values()) <= 1


def test_no_document_serves_twice_where_each_item_can_have_its_own(requests: pd.DataFrame, tables: Any) -> None:
    """One document of just the length of each item: a short item that took a long one's would leave it none."""
    queries = tables.build(requests[requests["benchmark"] == "siqa"], nulls=())
    tokens = queries["prompt_ids"].map(len) + queries["answer_ids"].map(len)
    documents = [[1000 * number + place for place in range(length)] for number, length in enumerate(tokens)]
    for seed in range(5):
        null = tables.of(tables.build(requests, documents, seed=seed), "generic_text")
        assert null["prompt_ids"].map(lambda ids: ids[0]).is_unique


def test_documents_of_one_length_are_drawn_whatever_their_order(requests: pd.DataFrame, tables: Any) -> None:
    documents = [[number, *range(100)] for number in np.random.default_rng(0).permutation(500)]
    queries = tables.build(requests, documents)
    assert_frame_equal(tables.build(requests, documents[::-1]), queries)
    assert_frame_equal(tables.build(requests, sorted(documents)), queries)


def test_a_document_that_is_too_short_for_an_item_leaves_it_to_a_longer_one(
    requests: pd.DataFrame, tables: Any
) -> None:
    long, short = list(range(1000, 1200)), list(range(2000, 2015))
    queries = tables.build(requests, [long, short])
    tokens = queries["prompt_ids"].map(len) + queries["answer_ids"].map(len)
    null = queries[queries["variant"] == "generic_text"]
    from_short = null["prompt_ids"].map(lambda ids: ids[0] == 2000)
    assert (tokens[null.index][from_short] <= 15).all()
    assert from_short.any()
    assert not from_short.all()


def test_where_all_documents_are_too_short_the_prompt_is_cut_and_the_answer_is_whole(
    requests: pd.DataFrame, caplog: pytest.LogCaptureFixture, tables: Any
) -> None:
    with caplog.at_level(logging.WARNING):
        queries = tables.build(requests, [list(range(12)), list(range(100, 112)), list(range(200, 203))])
    items, null = tables.of(queries, ITEMS), tables.of(queries, "generic_text")
    assert null["answer_ids"].map(len).equals(items["answer_ids"].map(len))
    total = items["prompt_ids"].map(len) + items["answer_ids"].map(len)
    assert (null["prompt_ids"].map(len) + null["answer_ids"].map(len)).equals(total.clip(upper=12))
    assert {prompt[0] for prompt, long in zip(null["prompt_ids"], total > 12, strict=True) if long} == {0, 100}
    said = f"siqa: {(total > 12).sum()} of 60 items are longer than any held-out document (12 tokens)"
    assert said in caplog.text


def test_an_answer_as_long_as_the_longest_document_is_named(requests: pd.DataFrame, tables: Any) -> None:
    longest = int(requests[requests["is_gold"]]["completion_ids"].map(len).max())
    assert longest > 2
    said = rf"benchmark \w+, item \w+/\d+: its answer has {longest} tokens and the longest document outside the working"
    with pytest.raises(AttributionError, match=said):
        tables.build(requests, [list(range(longest))])
    queries = tables.build(requests, [list(range(longest + 1))])
    assert queries["prompt_ids"].map(len).min() == 1


@pytest.mark.parametrize("nothing", [None, []])
def test_generic_text_without_documents_says_what_to_do(nothing: Any, requests: pd.DataFrame, tables: Any) -> None:
    said = "'generic_text' needs documents outside the working set and there are none: lower attribution.per_bin"
    with pytest.raises(AttributionError, match=said):
        tables.build(requests, nothing)
    assert len(tables.build(requests, nothing, nulls=["shuffled_answers"])) == 240


def test_documents_that_nothing_needs_are_not_read(requests: pd.DataFrame, tables: Any) -> None:
    documents = iter([[1, 2, 3]])
    tables.build(requests, documents, nulls=["shuffled_answers"])
    assert next(documents) == [1, 2, 3]
