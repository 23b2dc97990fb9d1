"""Profiles: alike ones correlate, intervals hold the correlation that is true, constants have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.aggregate import aggregate
from social_provenance.estimation.maps.profiles import profile_reliability, profile_similarity
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from social_provenance.estimation.maps.influence import Influence

    Tables = Callable[..., tuple[Any, Any, Any]]

USED = BINS[::6]


def _influence(tables: Tables, seed: int = 0, documents: int = 4, **noise: float) -> Influence:
    """Return benchmarks that share a profile of variance 1 and have noise of documents of their own."""
    rng = np.random.default_rng(seed)
    profile = {bin_: rng.normal() for bin_ in USED}
    scores = {
        name: {bin_: profile[bin_] + sd * rng.normal(size=documents) for bin_ in USED} for name, sd in noise.items()
    }
    return aggregate(*tables(scores), Bootstrap(replicates=200))


def _at(table: pd.DataFrame, axis: str) -> pd.Series[Any]:
    (row,) = [row for _, row in table[table["axis"] == axis].iterrows()]
    return row


def test_every_two_benchmarks_are_compared_once_on_each_axis(tables: Tables) -> None:
    table = profile_similarity(_influence(tables, a=1, b=1, c=1))
    assert table.groupby("axis").size().to_dict() == {"bin": 3, "topic": 3, "format": 3}
    assert set(zip(table["benchmark"], table["other"], strict=True)) == {("a", "b"), ("a", "c"), ("b", "c")}


def test_the_correlation_is_that_of_the_tables(tables: Tables) -> None:
    influence = _influence(tables, a=1, b=2)
    table = profile_similarity(influence)
    bins = influence.bins().pivot(index=["topic", "format"], columns="benchmark", values="potency")
    assert _at(table, "bin")["correlation"] == pytest.approx(bins["a"].corr(bins["b"]))
    topics = influence.marginal("topic").pivot(index="topic", columns="benchmark", values="z")
    assert _at(table, "topic")["correlation"] == pytest.approx(topics["a"].corr(topics["b"]))


def test_a_benchmark_and_its_copy_correlate_perfectly(tables: Tables) -> None:
    values = {bin_: np.random.default_rng(place).normal(size=3) for place, bin_ in enumerate(USED)}
    row = _at(profile_similarity(aggregate(*tables({"a": values, "b": values}), Bootstrap(replicates=20))), "bin")
    assert row["correlation"] == pytest.approx(1)
    assert row["ci_low"] == pytest.approx(1, abs=1e-6)


def test_intervals_hold_the_correlation_of_the_sampled_bins(tables: Tables) -> None:
    # With noise of variance s ** 2 / 4 in both, profiles of correlation 1 have 1 / (1 + s ** 2 / 4) on the mean.
    expected, hits = 1 / (1 + 4 / 4), 0
    for seed in range(40):
        row = _at(profile_similarity(_influence(tables, seed, a=2, b=2)), "bin")
        hits += row["ci_low"] < expected < row["ci_high"]
    assert hits >= 34


def test_a_constant_profile_correlates_with_nothing(tables: Tables) -> None:
    values = {bin_: np.random.default_rng(place).normal(size=3) for place, bin_ in enumerate(USED)}
    influence = aggregate(*tables({"a": values, "b": {bin_: [0.1] * 3 for bin_ in USED}}), Bootstrap(replicates=20))
    table = profile_similarity(influence)
    assert table[["correlation", "ci_low", "ci_high"]].isna().all(axis=None)
    reliable = profile_reliability(influence).set_index(["benchmark", "axis"])["documents"]
    assert np.isfinite(reliable["a", "bin"])
    assert np.isnan(reliable["b", "bin"])


def test_bins_of_one_document_give_a_correlation_and_no_interval(tables: Tables) -> None:
    row = _at(profile_similarity(_influence(tables, documents=1, a=1, b=1)), "bin")
    assert np.isfinite(row["correlation"])
    assert np.isnan([row["ci_low"], row["ci_high"]]).all()


def test_a_noisier_benchmark_is_less_reliable_and_topics_more_than_bins(tables: Tables) -> None:
    table = profile_reliability(_influence(tables, a=0.5, b=3)).set_index(["benchmark", "axis"])
    assert table.loc[("a", "bin"), "documents"] == pytest.approx(1 / (1 + 0.25 / 4), abs=0.05)
    assert table.loc[("b", "bin"), "documents"] < table.loc[("a", "bin"), "documents"]
    assert table["queries"].isna().all()
    assert table.loc[("a", "bin"), ["n", "n_documents", "ess"]].tolist() == [len(USED), 4 * len(USED), 4 * len(USED)]
