"""Queries: the same whatever the order of rows; nulls that keep the form; blocks that keep clusters whole and even."""

from __future__ import annotations

import logging
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from social_provenance.errors import AttributionError
from social_provenance.gradients.queries.build import COLUMNS, NULLS, add_blocks, build_queries, query_sets
from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANSWERS = (" glad", " cold", " hot", " salt", " the contract")


@pytest.fixture(scope="session")
def make_requests(tiny_tokenizer: Any) -> Callable[..., pd.DataFrame]:
    """Return a function that makes the requests of two benchmarks: items of three choices, clusters of many sizes."""

    def make(items: int = 60, clusters: int = 17, seed: int = 0, answers: Sequence[str] = ANSWERS) -> pd.DataFrame:
        rng = random.Random(seed)
        rows = []
        for benchmark in ("siqa", "arc"):
            for number in range(items):
                prompt = " ".join(rng.choices(("Anna thanked Ben.", "The judge saw", "Carl cooled the plate."), k=3))
                prompt = prompt[: rng.randrange(10, len(prompt))].rstrip()
                cluster = f"key-{min(rng.randrange(clusters), rng.randrange(clusters))}"
                gold, options = rng.randrange(3), rng.sample(answers, 3)
                for choice, text in enumerate(options):
                    before = tiny_tokenizer.encode(prompt)
                    ids = before, tiny_tokenizer.encode(prompt + text)[len(before) :]
                    rows.append(
                        (benchmark, f"{benchmark}/{number}", cluster, choice, choice == gold, prompt, text, *ids)
                    )
        names = "benchmark item cluster choice is_gold prompt completion prompt_ids completion_ids".split()
        return pd.DataFrame(rows, columns=names)

    return make


@pytest.fixture(scope="session")
def requests(make_requests: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_requests()


@pytest.fixture(scope="session")
def held_out() -> list[list[int]]:
    """Return documents of which each token says where it stands: document x 1,000 + place."""
    lengths = random.Random(5).choices(range(30, 200), k=40)
    return [[1000 * number + place for place in range(length)] for number, length in enumerate(lengths)]


def _build(requests: pd.DataFrame, held_out: Any = None, nulls: Any = NULLS, **settings: Any) -> pd.DataFrame:
    return build_queries(requests, nulls, held_out, **{"blocks": 6, "seed": 0} | settings)


def _shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.sample(frac=1, random_state=seed)


def _of(queries: pd.DataFrame, variant: str, benchmark: str = "siqa") -> pd.DataFrame:
    chosen = (queries["variant"] == variant) & (queries["benchmark"] == benchmark)
    return queries[chosen].set_index("item")


def _answers(table: pd.DataFrame, column: str = "answer_ids") -> Counter[tuple[int, ...]]:
    return Counter(map(tuple, table[column]))


# ---- all of a table


def test_the_order_of_requests_and_of_documents_changes_nothing(requests: pd.DataFrame, held_out: Any) -> None:
    queries = _build(requests, held_out)
    for seed in range(3):
        documents = [np.array(held_out[place]) for place in np.random.default_rng(seed).permutation(len(held_out))]
        assert_frame_equal(_build(_shuffled(requests, seed), iter(documents)), queries)


def test_every_benchmark_has_each_item_once_in_each_variant(requests: pd.DataFrame, held_out: Any) -> None:
    queries = _build(requests, held_out)
    assert tuple(queries.columns) == COLUMNS
    assert set(queries["variant"]) == {ITEMS, *NULLS}
    assert not queries.duplicated(["benchmark", "variant", "item"]).any()
    assert len(queries) == (1 + len(NULLS)) * requests["is_gold"].sum()
    for column in ("prompt_ids", "answer_ids"):
        assert all(type(token) is int for ids in queries[column] for token in ids)


def test_the_items_are_the_gold_rows(requests: pd.DataFrame) -> None:
    gold = requests[requests["is_gold"] & (requests["benchmark"] == "arc")].set_index("item")
    queries = _of(_build(requests, nulls=()), ITEMS, "arc").loc[gold.index]
    assert queries["prompt_ids"].tolist() == gold["prompt_ids"].tolist()
    assert queries["answer_ids"].tolist() == gold["completion_ids"].tolist()
    assert queries["cluster"].tolist() == gold["cluster"].tolist()


def test_a_benchmark_does_not_depend_on_the_others_and_has_its_own_draws(requests: pd.DataFrame, held_out: Any) -> None:
    both = _build(requests, held_out)
    alone = _build(requests[requests["benchmark"] == "siqa"], held_out)
    assert_frame_equal(both[both["benchmark"] == "siqa"].reset_index(drop=True), alone)
    renamed = requests[requests["benchmark"] == "siqa"].assign(benchmark="other")
    twins = _build(renamed, held_out).drop(columns="benchmark")
    for column in ("block", "prompt_ids", "answer_ids"):
        assert twins[column].tolist() != alone[column].tolist()


def test_the_seed_changes_blocks_and_nulls_and_nothing_else(requests: pd.DataFrame, held_out: Any) -> None:
    one, other = (_build(requests, held_out, seed=seed) for seed in (0, 1))
    assert _of(one, ITEMS).drop(columns="block").equals(_of(other, ITEMS).drop(columns="block"))
    assert _of(one, ITEMS)["block"].tolist() != _of(other, ITEMS)["block"].tolist()
    for variant in NULLS:
        assert _of(one, variant)["answer_ids"].tolist() != _of(other, variant)["answer_ids"].tolist()
    for variant in (ITEMS, "shuffled_answers"):
        assert _of(one, variant)["prompt_ids"].tolist() == _of(other, variant)["prompt_ids"].tolist()


# ---- shuffled answers


@pytest.mark.parametrize("seed", range(10))
def test_shuffled_answers_are_the_same_answers_at_the_same_prompts_and_nobody_has_their_own(
    seed: int, make_requests: Any
) -> None:
    requests = make_requests(items=31, seed=seed)
    queries = _build(requests, nulls=["shuffled_answers"], seed=seed)
    for benchmark in ("siqa", "arc"):
        items, null = _of(queries, ITEMS, benchmark), _of(queries, "shuffled_answers", benchmark)
        assert _answers(null) == _answers(items)
        assert null["prompt_ids"].equals(items["prompt_ids"])
        assert (null["answer_ids"] != items["answer_ids"]).all()


@pytest.mark.parametrize("common", range(31))
def test_as_few_answers_stay_where_they_are_as_their_numbers_allow(common: int, make_requests: Any) -> None:
    """Of m equal answers among n, at most n - m can go to an item of another answer."""
    requests = make_requests(items=30)
    gold = requests[requests["is_gold"] & (requests["benchmark"] == "siqa")].reset_index(drop=True)
    texts = [" glad"] * common + [(" hot", " cold", " salt")[place % 3] for place in range(30 - common)]
    gold = gold.assign(completion=texts, completion_ids=[[_token_of(text)] for text in texts])
    queries = _build(_shuffled(gold, common), nulls=["shuffled_answers"])
    kept = (_of(queries, "shuffled_answers")["answer_ids"] == _of(queries, ITEMS)["answer_ids"]).sum()
    assert kept == max(0, 2 * max(Counter(texts).values()) - 30)


def _token_of(text: str) -> int:
    return sum(text.encode())


def test_where_all_answers_differ_each_permutation_without_a_fixed_answer_comes_up(make_requests: Any) -> None:
    rows = make_requests(items=4).query("is_gold and benchmark == 'siqa'").reset_index(drop=True)
    rows = rows.assign(completion=list("abcd"), completion_ids=[[number] for number in range(4)])
    found = {
        tuple(token for (token,) in _of(_build(rows, nulls=["shuffled_answers"], seed=seed), NULLS[0])["answer_ids"])
        for seed in range(70)
    }
    assert len(found) == 9  # derangements of four


def test_equal_texts_with_other_blanks_are_one_answer(make_requests: Any) -> None:
    rows = make_requests(items=4).query("is_gold and benchmark == 'siqa'").reset_index(drop=True)
    rows = rows.assign(completion=[" hot", "hot ", " cold", "cold"], completion_ids=[[1], [2], [3], [4]])
    for seed in range(20):
        null = _of(_build(rows, nulls=["shuffled_answers"], seed=seed), "shuffled_answers")
        assert [token in (1, 2) for (token,) in null["answer_ids"]] == [False, False, True, True]


# ---- generic text


def test_generic_text_is_the_beginning_of_a_document_as_long_as_the_item(requests: pd.DataFrame, held_out: Any) -> None:
    queries = _build(requests, held_out)
    items, null = _of(queries, ITEMS), _of(queries, "generic_text")
    for column in ("prompt_ids", "answer_ids"):
        assert null[column].map(len).equals(items[column].map(len))
    for prompt, answer in zip(null["prompt_ids"], null["answer_ids"], strict=True):
        passage = prompt + answer
        assert passage == held_out[passage[0] // 1000][: len(passage)]


@pytest.mark.parametrize("documents", [1, 7, 40])
def test_documents_serve_equally_often_where_all_are_long_enough(
    documents: int, requests: pd.DataFrame, held_out: Any
) -> None:
    queries = _build(requests, [document + [0] * 100 for document in held_out[:documents]])
    served = Counter(prompt[0] for prompt in _of(queries, "generic_text")["prompt_ids"])
    assert len(served) == documents
    assert max(served.values()) - min(served.values()) <= 1


def test_no_document_serves_twice_where_each_item_can_have_its_own(requests: pd.DataFrame) -> None:
    """One document of just the length of each item: a short item that took a long one's would leave it none."""
    queries = _build(requests[requests["benchmark"] == "siqa"], nulls=())
    tokens = queries["prompt_ids"].map(len) + queries["answer_ids"].map(len)
    documents = [[1000 * number + place for place in range(length)] for number, length in enumerate(tokens)]
    for seed in range(5):
        null = _of(_build(requests, documents, seed=seed), "generic_text")
        assert null["prompt_ids"].map(lambda ids: ids[0]).is_unique


def test_documents_of_one_length_are_drawn_whatever_their_order(requests: pd.DataFrame) -> None:
    documents = [[number, *range(100)] for number in np.random.default_rng(0).permutation(500)]
    queries = _build(requests, documents)
    assert_frame_equal(_build(requests, documents[::-1]), queries)
    assert_frame_equal(_build(requests, sorted(documents)), queries)


def test_a_document_that_is_too_short_for_an_item_leaves_it_to_a_longer_one(requests: pd.DataFrame) -> None:
    long, short = list(range(1000, 1200)), list(range(2000, 2015))
    queries = _build(requests, [long, short])
    tokens = queries["prompt_ids"].map(len) + queries["answer_ids"].map(len)
    null = queries[queries["variant"] == "generic_text"]
    from_short = null["prompt_ids"].map(lambda ids: ids[0] == 2000)
    assert (tokens[null.index][from_short] <= 15).all()
    assert from_short.any()
    assert not from_short.all()


def test_where_all_documents_are_too_short_the_prompt_is_cut_and_the_answer_is_whole(
    requests: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        queries = _build(requests, [list(range(12)), list(range(100, 112)), list(range(200, 203))])
    items, null = _of(queries, ITEMS), _of(queries, "generic_text")
    assert null["answer_ids"].map(len).equals(items["answer_ids"].map(len))
    total = items["prompt_ids"].map(len) + items["answer_ids"].map(len)
    assert (null["prompt_ids"].map(len) + null["answer_ids"].map(len)).equals(total.clip(upper=12))
    assert {prompt[0] for prompt, long in zip(null["prompt_ids"], total > 12, strict=True) if long} == {0, 100}
    said = f"siqa: {(total > 12).sum()} of 60 items are longer than any held-out document (12 tokens)"
    assert said in caplog.text


def test_an_answer_as_long_as_the_longest_document_is_named(requests: pd.DataFrame) -> None:
    longest = int(requests[requests["is_gold"]]["completion_ids"].map(len).max())
    assert longest > 2
    said = rf"benchmark \w+, item \w+/\d+: its answer has {longest} tokens and the longest document outside the working"
    with pytest.raises(AttributionError, match=said):
        _build(requests, [list(range(longest))])
    queries = _build(requests, [list(range(longest + 1))])
    assert queries["prompt_ids"].map(len).min() == 1


@pytest.mark.parametrize("nothing", [None, []])
def test_generic_text_without_documents_says_what_to_do(nothing: Any, requests: pd.DataFrame) -> None:
    said = "'generic_text' needs documents outside the working set and there are none: lower attribution.per_bin"
    with pytest.raises(AttributionError, match=said):
        _build(requests, nothing)
    assert len(_build(requests, nothing, nulls=["shuffled_answers"])) == 240


def test_documents_that_nothing_needs_are_not_read(requests: pd.DataFrame) -> None:
    documents = iter([[1, 2, 3]])
    _build(requests, documents, nulls=["shuffled_answers"])
    assert next(documents) == [1, 2, 3]


# ---- blocks


@pytest.mark.parametrize("blocks", [1, 2, 5, 16, 100])
@pytest.mark.parametrize("seed", range(4))
def test_blocks_keep_clusters_whole_and_are_as_even_as_the_largest_cluster_allows(
    blocks: int, seed: int, make_requests: Any, held_out: Any
) -> None:
    queries = _build(make_requests(seed=seed), held_out, blocks=blocks, seed=seed)
    for _, rows in queries.groupby("benchmark"):
        assert (rows.groupby("cluster")["block"].nunique() == 1).all()
        assert (rows.groupby("item")["block"].nunique() == 1).all()
        items = rows[rows["variant"] == ITEMS]
        sizes, clusters = items["block"].value_counts(), items["cluster"].value_counts()
        assert sorted(sizes.index) == list(range(min(blocks, len(clusters))))
        assert sizes.max() - sizes.min() <= clusters.max()


@pytest.mark.parametrize("blocks", [3, 7, 59, 60, 61])
def test_blocks_of_single_items_differ_by_at_most_one(blocks: int, requests: pd.DataFrame) -> None:
    queries = _build(requests.assign(cluster=requests["item"]), nulls=(), blocks=blocks)
    for _, rows in queries.groupby("benchmark"):
        sizes = rows["block"].value_counts()
        assert len(sizes) == min(blocks, 60)
        assert sizes.max() - sizes.min() <= (60 % blocks > 0)


@pytest.mark.parametrize(
    ("clusters", "blocks"),
    [((2, 3, 2, 3, 2), (5, 7)), ((1, 1, 5, 1, 1, 1), (5, 5)), ((1, 4, 1, 1, 1, 1, 4, 2), (5, 5, 5))],
    ids=["by chance 8 and 4", "by their number 7 and 3", "three blocks"],
)
def test_clusters_are_dealt_by_their_items_the_largest_first(
    clusters: tuple[int, ...], blocks: tuple[int, ...]
) -> None:
    names = [f"c{place}" for place, size in enumerate(clusters) for _ in range(size)]
    rows = pd.DataFrame({"benchmark": "b", "variant": ITEMS, "item": range(len(names)), "cluster": names})
    for seed in range(20):
        dealt = add_blocks(rows.assign(prompt_ids=0, answer_ids=0), blocks=len(blocks), seed=seed)
        assert tuple(sorted(dealt["block"].value_counts())) == blocks


def test_blocks_of_rows_keep_their_order_and_depend_on_items_and_clusters_alone(
    requests: pd.DataFrame, held_out: Any
) -> None:
    queries = _build(requests, held_out)
    again = add_blocks(_shuffled(queries.drop(columns="block"), 3), blocks=6, seed=0)
    assert again[["benchmark", "item", "variant"]].equals(
        _shuffled(queries, 3)[["benchmark", "item", "variant"]].reset_index(drop=True)
    )
    assert_frame_equal(again.sort_values(list(COLUMNS[:3]), ignore_index=True), _sorted(queries))
    one = add_blocks(queries[queries["variant"] == "generic_text"].drop(columns="block"), blocks=6, seed=0)
    assert one["block"].tolist() == queries[queries["variant"] == "generic_text"]["block"].tolist()


def _sorted(queries: pd.DataFrame) -> pd.DataFrame:
    return queries.sort_values(list(COLUMNS[:3]), ignore_index=True)


def test_the_mean_over_queries_is_the_mean_of_block_means_weighted_by_their_sizes(requests: pd.DataFrame) -> None:
    queries = _of(_build(requests, nulls=()), ITEMS)
    scores = pd.Series(np.random.default_rng(0).normal(size=len(queries)), index=queries.index)
    means, sizes = scores.groupby(queries["block"]).mean(), queries["block"].value_counts().sort_index()
    assert len(queries) == sizes.sum() == 60
    assert np.average(means, weights=sizes) == pytest.approx(scores.mean(), rel=1e-12)


# ---- sets


def test_a_set_takes_loss_on_the_answer_and_nothing_else() -> None:
    rows = [
        ("siqa", ITEMS, "siqa/0", "a", 1, [5, 6], [8, 9]),
        ("siqa", ITEMS, "siqa/1", "b", 0, [4, 4, 4], [3]),
        ("siqa", "generic_text", "siqa/0", "a", 1, [7], [7]),
        ("arc", ITEMS, "arc/0", "c", 0, [5], [6]),
    ]
    sets = query_sets(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert list(sets) == ["siqa.items", "siqa.generic_text", "arc.items"]
    assert sets["siqa.items"].to_dict() == {
        "item": ["siqa/0", "siqa/1"],
        "block": [1, 0],
        "input_ids": [[5, 6, 8, 9], [4, 4, 4, 3]],
        "labels": [[-100, -100, 8, 9], [-100, -100, -100, 3]],
        "length": [4, 4],
    }


def test_sets_of_a_table_that_was_on_disk_are_the_same(requests: pd.DataFrame, held_out: Any, tmp_path: Any) -> None:
    queries = _build(requests, held_out)
    queries.to_parquet(tmp_path / "queries.parquet")
    read = query_sets(pd.read_parquet(tmp_path / "queries.parquet"))
    for name, rows in query_sets(queries).items():
        assert read[name].to_dict() == rows.to_dict()
        assert read[name].features == rows.features
