"""The tables of influence: what each row knows about its own uncertainty, and who carries a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.aggregate import aggregate
from social_provenance.estimation.influence import places
from social_provenance.estimation.settings import Bootstrap
from social_provenance.estimation.two_way import Blocks
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tables = Callable[..., tuple[Any, Any, Any]]

SETTINGS = Bootstrap(replicates=300)
FAQ, LISTICLE, GAMES = ("health", "faq"), ("health", "listicle"), ("games", "faq")


@pytest.fixture
def world(tables: Tables) -> tuple[Any, Any, Any]:
    """Return five documents in each of 96 bins."""
    rng = np.random.default_rng(0)
    return tables({"a": {bin_: rng.normal() + rng.normal(size=5) for bin_ in BINS[::6]}})


def _by_bin(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(["topic", "format"])


def test_the_place_of_a_bin_is_that_of_its_labels() -> None:
    for place, (topic, form) in enumerate(BINS):
        assert TOPICS[places("topic")[place]] == topic
        assert FORMATS[places("format")[place]] == form


@pytest.mark.parametrize("axis", ["topic", "format"])
def test_a_half_of_a_label_is_the_mean_of_that_half_of_its_bins(world: tuple[Any, Any, Any], axis: str) -> None:
    found = aggregate(*world, SETTINGS)
    bins, halves = found.profile_halves("documents", "bin"), found.profile_halves("documents", axis)
    names = TOPICS if axis == "topic" else FORMATS
    assert halves.shape == (*bins.shape[:2], len(names), 1)
    for label in range(len(names)):
        own = bins[:, :, places(axis) == label]
        if np.isfinite(own).any():
            np.testing.assert_allclose(halves[:, :, label], np.nanmean(own, axis=2))
        else:
            assert np.isnan(halves[:, :, label]).all()


def test_clusters_lower_the_effective_sample_size_and_widen_the_interval(world: tuple[Any, Any, Any]) -> None:
    scores, labels, prevalence = world
    sites = labels["doc_id"].str.replace(r"/[123]$", "/1", regex=True)
    plain = aggregate(scores, labels, prevalence, SETTINGS).bins()
    clustered = aggregate(scores, labels.assign(cluster_id=sites), prevalence, SETTINGS).bins()
    assert plain["ess"].dropna().to_numpy() == pytest.approx(5)
    assert clustered["ess"].dropna().to_numpy() == pytest.approx(25 / 11)
    np.testing.assert_allclose(clustered["z"], plain["z"])
    assert (clustered["ci_high"] - clustered["ci_low"]).median() > (plain["ci_high"] - plain["ci_low"]).median()


def test_a_bin_of_one_cluster_has_no_interval_and_its_topic_says_so(tables: Tables) -> None:
    scores, labels, prevalence = tables({"a": {FAQ: [0, 2, 5], LISTICLE: [3, 4], GAMES: [7, 8, 9]}})
    labels["cluster_id"] = [
        f"site {place}" if form != "listicle" else "one" for place, form in enumerate(labels["format"])
    ]
    found = aggregate(scores, labels, prevalence, SETTINGS)
    bins = _by_bin(found.bins())
    missing = ["se", "ci_low", "ci_high", "potency_low", "potency_high", "contribution_low", "contribution_high"]
    assert bins.loc[LISTICLE, missing].isna().all()
    assert bins.loc[LISTICLE, "ess"] == 1
    assert bins.loc[[FAQ, GAMES], missing].notna().all(axis=None)
    health = found.marginal("topic").set_index("topic").loc["health"]
    assert health[["n_bins", "n_bins_without_interval"]].tolist() == [2, 1]
    assert health["ci_low"] < health["z"] < health["ci_high"]
    assert health["ess"] == pytest.approx(4 / (1 + 1 / 3))


def test_a_topic_of_single_documents_has_no_interval(tables: Tables) -> None:
    found = aggregate(*tables({"a": {FAQ: [1], LISTICLE: [3], GAMES: [7, 8]}}), SETTINGS).marginal("topic")
    health = found.set_index("topic").loc["health"]
    assert np.isfinite(health["z"])
    assert np.isnan([health["ci_low"], health["se"], health["contribution_low"]]).all()


def test_the_two_estimands_have_intervals_that_prevalence_scales(world: tuple[Any, Any, Any]) -> None:
    scores, labels, prevalence = world
    prevalence = prevalence.assign(share=np.linspace(0, 2 / len(BINS), len(BINS)))
    table = aggregate(scores, labels, prevalence, SETTINGS).bins().dropna()
    share = prevalence.set_index(["topic", "format"])["share"].loc[
        list(zip(table["topic"], table["format"], strict=True))
    ]
    for ending in ("", "_low", "_high"):
        np.testing.assert_allclose(table[f"contribution{ending}"], table[f"potency{ending}"] * share.to_numpy())
    assert ((table["potency_low"] < table["potency"]) & (table["potency"] < table["potency_high"])).all()


def test_a_topics_contribution_has_the_interval_of_the_sum(tables: Tables) -> None:
    rng = np.random.default_rng(0)
    values = {bin_: 5 + rng.normal(size=40) for bin_ in BINS if bin_[0] == "games"}
    row = (
        aggregate(*tables({"a": values}), Bootstrap(replicates=4000)).marginal("topic").set_index("topic").loc["games"]
    )
    error = (sum(own.var(ddof=1) / 40 for own in values.values())) ** 0.5 / len(BINS)
    assert row["contribution_high"] - row["contribution_low"] == pytest.approx(2 * 1.96 * error, rel=0.06)


def _with_blocks(world: tuple[Any, Any, Any], queries: np.ndarray) -> pd.DataFrame:
    """Return the bins when every document's score moves with the query blocks by the same amounts."""
    scores, labels, prevalence = world
    ids = scores["doc_id"].to_numpy(object)
    blocks = scores["score"].to_numpy()[:, None] + queries - queries.mean()
    weights = {"a": np.full(len(queries), 1 / len(queries))}
    return aggregate(scores, labels, prevalence, SETTINGS, Blocks(weights, lambda _: (ids, blocks))).bins()


def test_queries_that_move_all_bins_alike_move_potency_and_no_z(world: tuple[Any, Any, Any]) -> None:
    still, moved = (_with_blocks(world, scale * np.arange(8.0)) for scale in (0, 9))
    np.testing.assert_allclose(moved["ci_low"], still["ci_low"], atol=1e-3)
    wider = (moved["potency_high"] - moved["potency_low"]) / (still["potency_high"] - still["potency_low"])
    assert wider.min() > 2


def test_a_constant_score_has_no_z_no_width_and_nobody_who_carries_it(tables: Tables) -> None:
    found = aggregate(*tables({"a": {bin_: [0.1] * 3 for bin_ in BINS[::4]}}), SETTINGS)
    assert (found.bins().dropna(subset="z")[["z", "se", "ci_low", "ci_high"]] == 0).all(axis=None)
    topics = found.marginal("topic")
    assert (topics.dropna(subset="z")["z"] == 0).all()
    assert topics["top_ten_share"].isna().all()


def test_permuting_documents_changes_nothing(world: tuple[Any, Any, Any]) -> None:
    scores, labels, prevalence = world
    plain = aggregate(scores, labels, prevalence, SETTINGS)
    mixed = aggregate(
        scores.sample(frac=1, random_state=0), labels.sample(frac=1, random_state=1), prevalence, SETTINGS
    )
    assert mixed.bins().equals(plain.bins())
    assert mixed.marginal("topic").equals(plain.marginal("topic"))


def test_every_document_twice_keeps_z_and_halves_the_variance(tables: Tables) -> None:
    rng = np.random.default_rng(0)
    once = {bin_: rng.normal(size=40) for bin_ in BINS[::12]}
    settings = Bootstrap(replicates=4000)
    one = aggregate(*tables({"a": once}), settings).bins().dropna()
    two = aggregate(*tables({"a": {bin_: np.tile(own, 2) for bin_, own in once.items()}}), settings).bins().dropna()
    np.testing.assert_allclose(two["z"], one["z"], atol=1e-9)
    assert ((two["se"] / one["se"]) ** 2).mean() == pytest.approx(39 / 79, rel=0.02)


def test_a_document_that_carries_its_topic_shows(tables: Tables) -> None:
    values = {bin_: np.random.default_rng(place).normal(size=4) for place, bin_ in enumerate(BINS)}
    values[FAQ] = np.array([400.0, 0, 0, 0])
    table = aggregate(*tables({"a": values}), SETTINGS).marginal("topic").set_index("topic")
    assert table["top_ten_share"].idxmax() == "health"
    assert table.loc["health", "top_ten_share"] > 0.75
    assert table.loc["games", "top_ten_share"] < 0.4


def test_one_bin_carries_the_published_literature_topic(shared_data: Path, tables: Tables) -> None:
    table = pd.read_csv(shared_data / "published_bins" / "socialiqa.csv")
    scores = {(row.topic_label, row.format_label): [row.mean_score] for row in table.itertuples()}
    topics = aggregate(*tables({"a": scores}), SETTINGS).marginal("topic").set_index("topic")
    literature = topics.loc["literature"]
    assert literature["z"] > 0.5
    assert literature["median"] < 0
    assert literature["leave_one_bin_out_min"] < 0
    assert topics["top_ten_share"].idxmax() == "literature"


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_score_that_is_no_number_stops_the_aggregation(world: tuple[Any, Any, Any], value: float) -> None:
    scores, labels, prevalence = world
    scores.loc[3, "score"] = value
    with pytest.raises(AttributionError, match="has no score for benchmark 'a'"):
        aggregate(scores, labels, prevalence, SETTINGS)
