"""The items that ask the corpus are others than those that an intervention is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.capabilities.split import (
    USES,
    answered_items,
    deal_clusters,
    items_for,
    keep_answers,
    split_items,
)
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture
def requests() -> pd.DataFrame:
    """Return two choices of each of 40 items of two benchmarks; clusters have one to three items."""
    import pandas as pd

    items = [(benchmark, f"{benchmark}/{n}", f"c{n * n % 17}") for benchmark in ("social", "stem") for n in range(20)]
    return pd.DataFrame(
        [(*item, choice) for item in items for choice in (0, 1)], columns=["benchmark", "item", "cluster", "choice"]
    )


def test_every_item_has_one_use_and_clusters_stay_whole(requests: pd.DataFrame) -> None:
    table = split_items(requests, split=True, seed=0)
    assert table[requests.columns.tolist()].equals(requests)
    assert (table.groupby(["benchmark", "cluster"])["use"].nunique() == 1).all()
    asked, judged = items_for(table, "attribution"), items_for(table, "evaluation")
    assert not set(asked["item"]) & set(judged["item"])
    assert len(asked) + len(judged) == len(requests)
    assert "use" not in asked


def test_halves_differ_by_no_more_than_a_cluster(requests: pd.DataFrame) -> None:
    table = split_items(requests, split=True, seed=0).drop_duplicates("item")
    for benchmark, own in table.groupby("benchmark"):
        sizes = own["use"].value_counts()
        assert abs(sizes["attribution"] - sizes["evaluation"]) <= own["cluster"].value_counts().max(), benchmark


def test_without_a_split_every_item_serves_both(requests: pd.DataFrame) -> None:
    table = split_items(requests, split=False, seed=0)
    assert set(table["use"]) == {"both"}
    for use in USES:
        assert items_for(table, use).equals(requests)


def test_neither_rows_nor_other_benchmarks_change_a_benchmarks_halves(requests: pd.DataFrame) -> None:
    usual = split_items(requests, split=True, seed=0).drop_duplicates("item").set_index("item")["use"]
    mixed = requests.sample(frac=1, random_state=3)
    alone = requests[requests["benchmark"] == "stem"]
    for other in (mixed, alone):
        again = split_items(other, split=True, seed=0).drop_duplicates("item").set_index("item")["use"]
        assert again.equals(usual.loc[again.index])


def test_another_seed_divides_otherwise(requests: pd.DataFrame) -> None:
    one, two = (split_items(requests, split=True, seed=seed)["use"] for seed in (0, 1))
    assert not one.equals(two)


def test_a_benchmark_of_one_cluster_cannot_be_divided(requests: pd.DataFrame) -> None:
    said = "benchmark social: its 20 items share the cluster 'all', so none would be left to evaluate"
    with pytest.raises(BenchmarkError, match=said):
        split_items(requests.assign(cluster="all"), split=True, seed=0)


def test_fewer_clusters_than_parts_fill_fewer_parts() -> None:
    import random

    assert set(deal_clusters({"a": 3, "b": 1}, 5, random.Random(0)).values()) == {0, 1}


def _answers(requests: pd.DataFrame, right: int) -> pd.DataFrame:
    """Return answers of which every ``right``-th is correct, in another order than the requests."""
    items = requests.drop_duplicates(["benchmark", "item"])[["benchmark", "item"]]
    correct = [number % right == 0 for number in range(len(items))]
    return items.assign(correct=correct).sample(frac=1, random_state=1)


def test_right_and_wrong_items_are_together_all_of_them(requests: pd.DataFrame) -> None:
    answers = _answers(requests, 3)
    right, wrong = (answered_items(requests, answers, which) for which in ("right", "wrong"))
    assert set(right["item"]) == set(answers.loc[answers["correct"], "item"])
    assert sorted([*right["item"], *wrong["item"]]) == sorted(requests["item"])
    assert right.columns.tolist() == requests.columns.tolist()


def test_all_items_are_kept_without_an_answer(requests: pd.DataFrame) -> None:
    none = keep_answers(None)
    assert none.empty
    assert answered_items(requests, none, "all").equals(requests)


def test_a_benchmark_without_a_right_answer_is_named_with_its_number_of_items(requests: pd.DataFrame) -> None:
    answers = _answers(requests, 1)
    answers["correct"] &= answers["benchmark"] != "stem"
    said = "benchmark stem: the model answers 0 of its 20 attribution items right and attribution.items is 'right'"
    with pytest.raises(BenchmarkError, match=said):
        answered_items(requests, answers, "right")
    with pytest.raises(BenchmarkError, match="benchmark social: the model answers 0 of its 20 attribution items wrong"):
        answered_items(requests, answers, "wrong")
