"""Maps side by side: exact on values worked out by hand, alike for the published map and the study's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.estimation import side_by_side
from social_provenance.estimation.agreement import MEASURES, agreement
from social_provenance.estimation.leave_one_out import CARRIED, carrier
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

SHAPE = (len(TOPICS), len(FORMATS))
NAMES = ["talk", "heat", "law", "sums"]


@pytest.fixture
def evaluation() -> Evaluation:
    places: list[tuple[Any, Any]] = [("social", "reasoning"), ("stem", "reasoning"), ("social", "knowledge")]
    rows = [Benchmark(name=n, domain=d, level=e, task="t.yaml") for n, (d, e) in zip(NAMES, places, strict=False)]
    return Evaluation(benchmarks=[*rows, Benchmark(name="sums", domain="stem", level="knowledge", task="t.yaml")])


def grid(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SHAPE)


def table(values: np.ndarray, **names: str) -> pd.DataFrame:
    return pd.DataFrame(list(BINS), columns=["topic", "format"]).assign(z=values.reshape(-1), **names)


@pytest.fixture
def reference() -> pd.DataFrame:
    rows = [table(grid(seed), benchmark=name) for seed, name in enumerate(NAMES)]
    return pd.concat(rows, ignore_index=True).assign(potency=0.0, n_documents=9)


@pytest.fixture
def bins(reference: pd.DataFrame) -> pd.DataFrame:
    """Return a study's bins: a method that drew the published map, one that drew another; one more benchmark."""
    same = reference.assign(method="influence")
    rows = [table(grid(9 + seed), benchmark=name, method="length") for seed, name in enumerate([*NAMES, "more"])]
    return pd.concat([same, *rows], ignore_index=True)


@pytest.fixture
def maps(reference: pd.DataFrame, bins: pd.DataFrame) -> pd.DataFrame:
    return side_by_side.side_by_side(reference, bins)


def test_maps_are_of_the_benchmarks_that_both_have(maps: pd.DataFrame) -> None:
    assert list(maps["source"].unique()) == [side_by_side.PUBLISHED, "influence", "length"]
    assert set(maps["benchmark"]) == set(NAMES)
    assert len(maps) == 3 * 4 * 576


def test_one_outlying_bin_shows_in_its_topic_alone() -> None:
    values = np.zeros(SHAPE)
    values[3, 5] = 24.0
    found = side_by_side.robust_means(values).set_index("topic")
    row = found.loc[TOPICS[3]]
    assert row["extreme_format"] == FORMATS[5]
    assert [row["mean"], row["median"], row["extreme_value"], row["without_extreme"]] == [1.0, 0.0, 24.0, 0.0]
    assert row["leave_one_bin_out_min"] == 0.0
    assert row["leave_one_bin_out_max"] == pytest.approx(24 / 23)
    assert (found.drop(index=TOPICS[3])["mean"] == 0).all()


def test_leaving_out_is_the_mean_of_the_others_whatever_is_empty() -> None:
    values = np.where(np.random.default_rng(1).random(SHAPE) < 0.3, np.nan, grid(1))
    found = side_by_side.robust_means(values)
    for row, own in zip(found.to_dict("records"), values, strict=True):
        kept = {name: value for name, value in zip(FORMATS, own, strict=True) if np.isfinite(value)}
        without = {n: np.mean([value for other, value in kept.items() if other != n]) for n in kept}
        assert row["n_bins"] == len(kept)
        assert row["mean"] == pytest.approx(np.mean(list(kept.values())))
        assert row["leave_one_bin_out_min"] == pytest.approx(min(without.values()))
        assert row["leave_one_bin_out_max"] == pytest.approx(max(without.values()))
        farthest = max(without, key=lambda n: abs(without[n] - np.mean(list(kept.values()))))
        assert row["extreme_format"] == farthest
        assert row["without_extreme"] == pytest.approx(without[farthest])


def test_a_topic_of_one_bin_or_none_has_no_mean_without_it() -> None:
    values = np.full(SHAPE, np.nan)
    values[0, 0] = 2.0
    found = side_by_side.robust_means(values)
    assert found["n_bins"].tolist() == [1] + [0] * 23
    assert found["mean"].tolist()[0] == 2.0
    assert found["mean"].isna().sum() == 23
    assert found[["leave_one_bin_out_min", "extreme_format", "without_extreme"]].isna().all(axis=None)


def test_permuting_the_rows_changes_nothing(maps: pd.DataFrame, evaluation: Evaluation) -> None:
    mixed = maps.groupby(["source", "benchmark"], sort=False, group_keys=False).sample(frac=1, random_state=4)
    for function in (
        side_by_side.topic_means,
        lambda own: side_by_side.topic_contrasts(own, evaluation),
        lambda own: side_by_side.signatures(own, 7),
        side_by_side.similarity,
        side_by_side.agreement_with_published,
    ):
        pd.testing.assert_frame_equal(function(mixed), function(maps), check_exact=True)


def test_contrasts_are_social_less_stem_at_both_levels(maps: pd.DataFrame, evaluation: Evaluation) -> None:
    found = side_by_side.topic_contrasts(maps, evaluation)
    assert len(found) == 3 * 2 * 24
    for kind, social, stem in (("reasoning", 0, 1), ("knowledge", 2, 3)):
        expected = (grid(social) - grid(stem)).mean(axis=1)
        for source in (side_by_side.PUBLISHED, "influence"):
            own = found[(found["source"] == source) & (found["kind"] == kind)].set_index("topic")["difference"]
            assert own[list(TOPICS)].tolist() == pytest.approx(expected.tolist())


def test_a_level_without_both_sides_has_no_contrast(maps: pd.DataFrame, evaluation: Evaluation) -> None:
    found = side_by_side.topic_contrasts(maps[maps["benchmark"] != "sums"], evaluation)
    assert set(found["kind"]) == {"reasoning"}


def test_the_signature_is_what_the_others_do_not_have() -> None:
    talk, heat = np.zeros(SHAPE), np.zeros(SHAPE)
    talk[2, 4], heat[2, 4] = 9.0, 8.5  # high for both
    talk[5, 6] = 3.0
    talk[5, 0] = heat[5, 0] = 2.3  # another bin of that topic, alike in both
    talk[0, 1] = 2.0
    frames = [table(talk, benchmark="talk", source="published"), table(heat, benchmark="heat", source="published")]
    found = side_by_side.signatures(pd.concat(frames, ignore_index=True), 3)
    own = found[found["benchmark"] == "talk"]
    assert own["rank"].tolist() == [1, 2, 3]
    assert list(zip(own["topic"], own["format"], strict=True)) == [
        (TOPICS[5], FORMATS[6]),
        (TOPICS[0], FORMATS[1]),
        (TOPICS[2], FORMATS[4]),
    ]
    assert own["distinctiveness"].tolist() == [3.0, 2.0, 0.5]
    assert own["topic_z"].tolist() == pytest.approx([5.3 / 24, 2 / 24, 9 / 24])
    assert own["topic_z_without"].tolist() == pytest.approx([2.3 / 23, 0, 0])


def test_one_benchmark_has_no_signature(maps: pd.DataFrame) -> None:
    assert side_by_side.signatures(maps[maps["benchmark"] == "talk"], 5).empty


def test_similarity_is_of_two_benchmarks_of_one_map(maps: pd.DataFrame) -> None:
    found = side_by_side.similarity(maps).set_index(["source", "benchmark", "other"])
    assert len(found) == 3 * 6
    measures = list(MEASURES)
    assert found.loc[("published", "talk", "sums"), measures].to_dict() == pytest.approx(agreement(grid(0), grid(3)))
    assert found.loc["influence"].equals(found.loc["published"])
    assert found.loc[("published", "talk", "sums"), list(CARRIED)].to_dict() == carrier(grid(0), grid(3))


def test_agreement_is_of_one_benchmark_in_two_maps(maps: pd.DataFrame) -> None:
    found = side_by_side.agreement_with_published(maps)
    assert list(found) == ["benchmark", "method", *MEASURES, *CARRIED]
    assert len(found) == 2 * 4
    own = found.set_index(["method", "benchmark"])
    assert own.loc["influence", "bin_correlation"].tolist() == pytest.approx([1.0] * 4)
    assert own.loc[("length", "heat"), list(MEASURES)].to_dict() == pytest.approx(agreement(grid(1), grid(10)))


def test_only_bins_with_documents_in_both_count(reference: pd.DataFrame, bins: pd.DataFrame) -> None:
    bins.loc[bins["topic"] == "games", "z"] = np.nan
    found = side_by_side.agreement_with_published(side_by_side.side_by_side(reference, bins))
    assert set(found["n_bins"]) == {576 - 24}
    assert found.query("method == 'influence'")["bin_correlation"].tolist() == pytest.approx([1.0] * 4)


def test_without_a_reference_all_is_empty(reference: pd.DataFrame, bins: pd.DataFrame, evaluation: Evaluation) -> None:
    none = side_by_side.side_by_side(reference.iloc[:0], bins)
    assert none.empty
    for found in (
        side_by_side.topic_means(none),
        side_by_side.topic_contrasts(none, evaluation),
        side_by_side.signatures(none, 5),
        side_by_side.similarity(none),
        side_by_side.agreement_with_published(none),
    ):
        assert found.empty
