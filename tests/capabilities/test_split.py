"""The items that ask the corpus are others than those that an intervention is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.capabilities.split import USES, deal_clusters, items_for, split_items
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
