"""From document scores to bins and topics: exact on data worked out by hand, and on the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.aggregate import aggregate
from social_provenance.estimation.settings import Bootstrap
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.estimation.influence import Influence

    Tables = Callable[..., tuple[Any, Any, Any]]

FEW = Bootstrap(replicates=20)
FAQ, LISTICLE = ("health", "faq"), ("health", "listicle")
GAMES = ("games", "faq")


@pytest.fixture
def by_hand(tables: Tables) -> Influence:
    """Return three bins whose means are 1, 3 and 8: centre 4, spread sqrt(13)."""
    return aggregate(*tables({"social": {FAQ: [0, 2], LISTICLE: [3], GAMES: [7, 8, 9]}}), FEW)


@pytest.fixture
def whole(tables: Tables) -> Influence:
    """Return two benchmarks over a full grid, two documents a bin."""
    rng = np.random.default_rng(0)
    return aggregate(*tables({name: {bin_: rng.normal(size=2) for bin_ in BINS} for name in ("a", "b")}), FEW)


def test_potency_z_and_contribution_are_exact(by_hand: Influence) -> None:
    table = by_hand.bins().set_index(["topic", "format"])
    np.testing.assert_allclose(table.loc[[FAQ, LISTICLE, GAMES], "potency"], [1, 3, 8])
    np.testing.assert_allclose(table.loc[[FAQ, LISTICLE, GAMES], "z"], np.array([-3, -1, 4]) / 13**0.5)
    np.testing.assert_allclose(table.loc[[FAQ, LISTICLE, GAMES], "contribution"], np.array([1, 3, 8]) / 576)
    assert table.loc[[FAQ, LISTICLE, GAMES], "n_documents"].tolist() == [2, 1, 3]


def test_two_bins_stand_as_far_apart_as_two_values_can(tables: Tables) -> None:
    two = aggregate(*tables({"social": {FAQ: [0, 2], GAMES: [7, 9]}}), FEW).bins()
    assert sorted(two["z"].dropna()) == pytest.approx([-(0.5**0.5), 0.5**0.5])


def test_empty_bins_are_rows_with_no_documents_and_nulls(by_hand: Influence) -> None:
    table = by_hand.bins()
    assert len(table) == 576
    empty = table[table["n_documents"] == 0]
    assert len(empty) == 573
    assert empty[["potency", "z", "ci_low", "ci_high", "contribution"]].isna().all(axis=None)


def test_a_bin_of_one_document_has_a_value_and_no_interval(by_hand: Influence) -> None:
    one = by_hand.bins().set_index(["topic", "format"]).loc[LISTICLE]
    assert np.isfinite(one["z"])
    assert np.isnan(one["ci_low"])
    assert np.isnan(one["ci_high"])


def test_a_topic_is_the_unweighted_mean_of_its_bins(by_hand: Influence) -> None:
    table = by_hand.marginal("topic").set_index("topic")
    assert table.loc["health", "z"] == pytest.approx(-2 / 13**0.5)  # (-3 - 1) / 2, though FAQ has twice the documents
    assert table.loc["health", "median"] == pytest.approx(-2 / 13**0.5)
    assert table.loc["health", "leave_one_bin_out_min"] == pytest.approx(-3 / 13**0.5)
    assert table.loc["health", "leave_one_bin_out_max"] == pytest.approx(-1 / 13**0.5)
    assert table.loc["health", ["n_documents", "n_bins"]].tolist() == [3, 2]
    assert table.loc["health", "contribution"] == pytest.approx(4 / 576)


def test_a_topic_without_documents_is_a_row_of_nulls(by_hand: Influence) -> None:
    table = by_hand.marginal("topic").set_index("topic")
    assert list(table.index) == list(TOPICS)
    assert table.loc["literature", ["n_documents", "n_bins"]].tolist() == [0, 0]
    assert table.loc["literature", ["z", "ci_low", "ci_high", "median"]].isna().all()


def test_a_format_is_the_mean_over_its_topics(by_hand: Influence) -> None:
    table = by_hand.marginal("format").set_index("format")
    assert list(table.index) == list(FORMATS)
    assert table.loc["faq", "z"] == pytest.approx(0.5 / 13**0.5)  # (-3 + 4) / 2
    assert table.loc["faq", "n_documents"] == 5


def test_z_has_mean_nought_and_spread_one_over_the_bins(whole: Influence) -> None:
    for _, own in whole.bins().groupby("benchmark"):
        assert own["z"].mean() == pytest.approx(0, abs=1e-12)
        assert own["z"].std(ddof=1) == pytest.approx(1)


def test_z_does_not_change_under_shift_and_scale_of_the_scores(tables: Tables) -> None:
    scores = {bin_: np.random.default_rng(place).normal(size=3) for place, bin_ in enumerate(BINS[:40])}
    plain = aggregate(*tables({"a": scores}), FEW).bins()
    moved = aggregate(*tables({"a": {bin_: 5 * values - 3 for bin_, values in scores.items()}}), FEW).bins()
    for column in ("z", "ci_low", "ci_high"):
        np.testing.assert_allclose(moved[column], plain[column], rtol=1e-4, atol=1e-4)


def test_equal_scores_everywhere_give_nought_and_not_a_division_by_nought(tables: Tables) -> None:
    table = aggregate(*tables({"a": {FAQ: [2, 2], GAMES: [2, 2]}}), FEW).bins().set_index(["topic", "format"])
    assert table.loc[[FAQ, GAMES], "z"].tolist() == [0, 0]


def test_renaming_bins_renames_results_and_changes_nothing_else(tables: Tables) -> None:
    values = [np.random.default_rng(place).normal(size=2) for place in range(len(BINS))]
    order = np.random.default_rng(0).permutation(len(BINS))
    plain = aggregate(*tables({"a": dict(zip(BINS, values, strict=True))}), FEW)
    renamed = {BINS[order[place]]: values[place] for place in range(len(BINS))}
    moved = aggregate(*tables({"a": renamed}), FEW)
    z = plain.bins().set_index(["topic", "format"])["z"]
    other = moved.bins().set_index(["topic", "format"])["z"]
    np.testing.assert_allclose(other.loc[[BINS[place] for place in order]], z.loc[list(BINS)])


def test_the_order_of_rows_does_not_matter(tables: Tables) -> None:
    scores, labels, prevalence = tables({"a": {FAQ: [0, 2, 5], GAMES: [7, 8, 9]}})
    plain = aggregate(scores, labels, prevalence, FEW).bins()
    shuffled = aggregate(
        scores.sample(frac=1, random_state=1), labels.sample(frac=1, random_state=2), prevalence.iloc[::-1], FEW
    ).bins()
    assert shuffled.equals(plain)


def test_the_interval_of_a_bin_covers_its_value_and_shrinks_with_documents(tables: Tables) -> None:
    few = np.random.default_rng(0).normal(size=8)
    others = {bin_: np.zeros(2) + place for place, bin_ in enumerate(BINS[:100])}
    scores = {**others, FAQ: few, GAMES: np.tile(few, 30)}
    table = aggregate(*tables({"a": scores}), Bootstrap(replicates=400)).bins().set_index(["topic", "format"])
    width = table["ci_high"] - table["ci_low"]
    assert (table.loc[[FAQ, GAMES], "ci_low"] < table.loc[[FAQ, GAMES], "z"]).all()
    assert (table.loc[[FAQ, GAMES], "ci_high"] > table.loc[[FAQ, GAMES], "z"]).all()
    # Deviations of 8 and of 240 documents: the variance of the first has 7 degrees of freedom.
    assert width[FAQ] / width[GAMES] == pytest.approx((30 * 239 / 210) ** 0.5 * 2.365 / 1.96, rel=0.1)


def test_a_benchmark_does_not_depend_on_the_others(whole: Influence, tables: Tables) -> None:
    rng = np.random.default_rng(0)
    alone = aggregate(*tables({"a": {bin_: rng.normal(size=2) for bin_ in BINS}}), FEW).bins()
    beside = whole.bins()
    np.testing.assert_allclose(alone["z"], beside.loc[beside["benchmark"] == "a", "z"])
    np.testing.assert_allclose(alone["ci_low"], beside.loc[beside["benchmark"] == "a", "ci_low"], rtol=1e-4, atol=1e-4)


def test_scores_of_another_working_set_are_refused(tables: Tables) -> None:
    scores, labels, prevalence = tables({"a": {FAQ: [0, 2], GAMES: [7, 8]}})
    with pytest.raises(AttributionError, match=r"'games/faq/1' \(and 0 more\) has scores and is not in the working"):
        aggregate(scores, labels.iloc[:-1], prevalence, FEW)


def test_a_document_without_a_score_for_a_benchmark_is_refused(tables: Tables) -> None:
    scores, labels, prevalence = tables({"a": {FAQ: [0, 2]}, "b": {FAQ: [1, 3]}})
    with pytest.raises(AttributionError, match="'health/faq/1' has no score for benchmark 'b' under 'trackstar'"):
        aggregate(scores.iloc[:-1], labels, prevalence, FEW)


@pytest.fixture(params=["socialiqa", "arc_challenge", "mmlu_social_sciences", "mmlu_stem"])
def published(request: pytest.FixtureRequest, shared_data: Path) -> Any:
    """Return a published table of bins, with our names of the columns."""
    import pandas as pd

    table = pd.read_csv(shared_data / "published_bins" / f"{request.param}.csv")
    return table.rename(columns={"topic_label": "topic", "format_label": "format"}).set_index(["topic", "format"])


@pytest.fixture
def ours(published: Any, tables: Tables) -> Influence:
    """Return our aggregation of one document a bin that bears the published mean."""
    return aggregate(*tables({"a": {bin_: [score] for bin_, score in published["mean_score"].items()}}), FEW)


def test_our_z_is_the_published_one(published: Any, ours: Influence) -> None:
    table = ours.bins().set_index(["topic", "format"])
    np.testing.assert_allclose(table["z"], published.loc[list(BINS), "zscore"], rtol=1e-9, atol=1e-12)


def test_our_topics_are_the_means_of_the_published_z(published: Any, ours: Influence) -> None:
    for axis in ("topic", "format"):
        expected = published["zscore"].groupby(level=axis).mean()
        np.testing.assert_allclose(ours.marginal(axis).set_index(axis)["z"], expected, rtol=1e-9, atol=1e-12)


def test_the_headline_bin_of_the_paper_shows_in_the_leave_one_out_values(shared_data: Path, tables: Tables) -> None:
    import pandas as pd

    table = pd.read_csv(shared_data / "published_bins" / "socialiqa.csv")
    scores = {(row.topic_label, row.format_label): [row.mean_score] for row in table.itertuples()}
    literature = aggregate(*tables({"a": scores}), FEW).marginal("topic").set_index("topic").loc["literature"]
    assert round(literature["z"], 2) == 0.58
    assert round(literature["leave_one_bin_out_min"], 2) == -0.09
