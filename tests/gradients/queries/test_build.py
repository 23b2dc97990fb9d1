"""Queries: the same whatever the order of rows; blocks that keep clusters whole and even."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from social_provenance.errors import BenchmarkError
from social_provenance.gradients.queries.build import COLUMNS, add_blocks, query_sets, refuse_long_items
from social_provenance.gradients.queries.nulls import NULLS
from social_provenance.gradients.query_set import ITEMS

# ---- all of a table


def test_the_order_of_requests_and_of_documents_changes_nothing(
    requests: pd.DataFrame, held_out: Any, tables: Any
) -> None:
    queries = tables.build(requests, held_out)
    for seed in range(3):
        documents = [np.array(held_out[place]) for place in np.random.default_rng(seed).permutation(len(held_out))]
        assert_frame_equal(tables.build(tables.shuffled(requests, seed), iter(documents)), queries)


def test_every_benchmark_has_each_item_once_in_each_variant(requests: pd.DataFrame, held_out: Any, tables: Any) -> None:
    queries = tables.build(requests, held_out)
    assert tuple(queries.columns) == COLUMNS
    assert set(queries["variant"]) == {ITEMS, *NULLS}
    assert not queries.duplicated(["benchmark", "variant", "item"]).any()
    assert len(queries) == (1 + len(NULLS)) * requests["is_gold"].sum()
    for column in ("prompt_ids", "answer_ids"):
        assert all(type(token) is int for ids in queries[column] for token in ids)


def test_the_items_are_the_gold_rows(requests: pd.DataFrame, tables: Any) -> None:
    gold = requests[requests["is_gold"] & (requests["benchmark"] == "arc")].set_index("item")
    queries = tables.of(tables.build(requests, nulls=()), ITEMS, "arc").loc[gold.index]
    assert queries["prompt_ids"].tolist() == gold["prompt_ids"].tolist()
    assert queries["answer_ids"].tolist() == gold["completion_ids"].tolist()
    assert queries["cluster"].tolist() == gold["cluster"].tolist()


def test_a_benchmark_does_not_depend_on_the_others_and_has_its_own_draws(
    requests: pd.DataFrame, held_out: Any, tables: Any
) -> None:
    """But for ``other_benchmark``, which takes the answers of another one."""
    nulls = [null for null in NULLS if null != "other_benchmark"]
    both = tables.build(requests, held_out, nulls)
    alone = tables.build(requests[requests["benchmark"] == "siqa"], held_out, nulls)
    assert_frame_equal(both[both["benchmark"] == "siqa"].reset_index(drop=True), alone)
    renamed = requests[requests["benchmark"] == "siqa"].assign(benchmark="other")
    twins = tables.build(renamed, held_out, nulls).drop(columns="benchmark")
    for column in ("block", "prompt_ids", "answer_ids"):
        assert twins[column].tolist() != alone[column].tolist()


def test_the_seed_changes_blocks_and_nulls_and_nothing_else(requests: pd.DataFrame, held_out: Any, tables: Any) -> None:
    one, other = (tables.build(requests, held_out, seed=seed) for seed in (0, 1))
    assert tables.of(one, ITEMS).drop(columns="block").equals(tables.of(other, ITEMS).drop(columns="block"))
    assert tables.of(one, ITEMS)["block"].tolist() != tables.of(other, ITEMS)["block"].tolist()
    for variant in NULLS:
        assert tables.of(one, variant)["answer_ids"].tolist() != tables.of(other, variant)["answer_ids"].tolist()
    for variant in (ITEMS, "shuffled_answers", "wrong_answers", "other_benchmark"):
        assert tables.of(one, variant)["prompt_ids"].tolist() == tables.of(other, variant)["prompt_ids"].tolist()


# ---- blocks


@pytest.mark.parametrize("blocks", [1, 2, 5, 16, 100])
@pytest.mark.parametrize("seed", range(4))
def test_blocks_keep_clusters_whole_and_are_as_even_as_the_largest_cluster_allows(
    blocks: int, seed: int, make_requests: Any, held_out: Any, tables: Any
) -> None:
    queries = tables.build(make_requests(seed=seed), held_out, blocks=blocks, seed=seed)
    for _, rows in queries.groupby("benchmark"):
        assert (rows.groupby("cluster")["block"].nunique() == 1).all()
        assert (rows.groupby("item")["block"].nunique() == 1).all()
        items = rows[rows["variant"] == ITEMS]
        sizes, clusters = items["block"].value_counts(), items["cluster"].value_counts()
        assert sorted(sizes.index) == list(range(min(blocks, len(clusters))))
        assert sizes.max() - sizes.min() <= clusters.max()


@pytest.mark.parametrize("blocks", [3, 7, 59, 60, 61])
def test_blocks_of_single_items_differ_by_at_most_one(blocks: int, requests: pd.DataFrame, tables: Any) -> None:
    queries = tables.build(requests.assign(cluster=requests["item"]), nulls=(), blocks=blocks)
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
    requests: pd.DataFrame, held_out: Any, tables: Any
) -> None:
    queries = tables.build(requests, held_out)
    again = add_blocks(tables.shuffled(queries.drop(columns="block"), 3), blocks=6, seed=0)
    assert again[["benchmark", "item", "variant"]].equals(
        tables.shuffled(queries, 3)[["benchmark", "item", "variant"]].reset_index(drop=True)
    )
    assert_frame_equal(again.sort_values(list(COLUMNS[:3]), ignore_index=True), _sorted(queries))
    one = add_blocks(queries[queries["variant"] == "generic_text"].drop(columns="block"), blocks=6, seed=0)
    assert one["block"].tolist() == queries[queries["variant"] == "generic_text"]["block"].tolist()


def _sorted(queries: pd.DataFrame) -> pd.DataFrame:
    return queries.sort_values(list(COLUMNS[:3]), ignore_index=True)


def test_the_mean_over_queries_is_the_mean_of_block_means_weighted_by_their_sizes(
    requests: pd.DataFrame, tables: Any
) -> None:
    queries = tables.of(tables.build(requests, nulls=()), ITEMS)
    scores = pd.Series(np.random.default_rng(0).normal(size=len(queries)), index=queries.index)
    means, sizes = scores.groupby(queries["block"]).mean(), queries["block"].value_counts().sort_index()
    assert len(queries) == sizes.sum() == 60
    assert np.average(means, weights=sizes) == pytest.approx(scores.mean(), rel=1e-12)


# ---- sets


def test_a_set_takes_loss_on_the_answer_and_nothing_else() -> None:
    rows = [
        ("siqa", ITEMS, "siqa/0", "a", 1, [5, 6], [8, 9], [], []),
        ("siqa", ITEMS, "siqa/1", "b", 0, [4, 4, 4], [3], [], []),
        ("siqa", "generic_text", "siqa/0", "a", 1, [7], [7], [], []),
        ("arc", ITEMS, "arc/0", "c", 0, [5], [6], [], []),
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


def test_sets_of_a_table_that_was_on_disk_are_the_same(
    requests: pd.DataFrame, held_out: Any, tmp_path: Any, tables: Any
) -> None:
    queries = tables.build(requests, held_out)
    queries.to_parquet(tmp_path / "queries.parquet")
    read = query_sets(pd.read_parquet(tmp_path / "queries.parquet"))
    for name, rows in query_sets(queries).items():
        assert read[name].to_dict() == rows.to_dict()
        assert read[name].features == rows.features


def test_an_item_that_is_longer_than_the_budget_is_named(make_items: Any) -> None:
    prompt, short, long = "The judge saw", "court", "the contract near the court"
    requests = make_items([("quiz", prompt, [short, long], 0), ("quiz", prompt, [short, short], 1)])
    tokens = (requests["prompt_ids"].map(len) + requests["completion_ids"].map(len)).tolist()
    refuse_long_items(requests, max(tokens), ("wrong_answers",))
    refuse_long_items(requests, tokens[0], ())  # the long choice is not walked
    for walked in ({"nulls": ("wrong_answers",)}, {"nulls": (), "query": "rival"}):
        with pytest.raises(BenchmarkError) as caught:
            refuse_long_items(requests, max(tokens) - 1, **walked)
        assert str(caught.value) == (
            f"benchmark quiz, item quiz/0: {max(tokens)} tokens with choice ' {long}', a query may have "
            f"{max(tokens) - 1} (gradients.max_tokens): raise it and gradients.token_batch if the model takes more, or "
            f"leave the item out of the file"
        )
    with pytest.raises(BenchmarkError, match=f"quiz/0: {tokens[0]} tokens with choice ' court', a query may have 3"):
        refuse_long_items(requests, 3, ())


@pytest.mark.parametrize(("null", "lines"), [("shuffled_answers", 1), ("other_benchmark", 1), ("generic_text", 0)])
def test_a_null_that_may_exceed_the_budget_is_warned_of(
    make_items: Any, caplog: pytest.LogCaptureFixture, null: Any, lines: int
) -> None:
    requests = make_items(
        [("quiz", "The judge saw the contract near", ["court"] * 2, 0), ("quiz", "In", ["the court in Velda"] * 2, 0)]
    )
    tokens = requests["prompt_ids"].map(len) + requests["completion_ids"].map(len)
    with caplog.at_level(logging.WARNING):
        refuse_long_items(requests, int(tokens.max()), (null,))
    assert len(caplog.records) == lines
    assert all("would exceed gradients.max_tokens" in record.getMessage() for record in caplog.records)
