"""Every bin is tested once for each method; what knows nothing is not called more often than it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from social_provenance.errors import AttributionError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.scored import gather_scored, widen
from social_provenance.estimation.maps.two_way import Blocks
from social_provenance.estimation.significance import discoveries
from social_provenance.estimation.significance.decomposition import PARTS
from social_provenance.regions.grid import BINS, TOPICS
from social_provenance.schemas.discoveries import NullCalibration, NullTests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.estimation.maps.influence import Influence
    from social_provenance.estimation.maps.scored import Scored

SETTINGS = Bootstrap(replicates=99, seed=3)
PER_BIN = 4
PLANTED = BINS[30]
SHARE = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))


def _labels(per_bin: int = PER_BIN) -> pd.DataFrame:
    rows = [(f"{topic}/{form}/{number}", topic, form) for topic, form in BINS for number in range(per_bin)]
    return pd.DataFrame(rows, columns=["doc_id", "topic", "format"])


def _of(labels: pd.DataFrame, place: tuple[str, str]) -> np.ndarray:
    """Mark the documents of a bin."""
    marked: np.ndarray = ((labels["topic"] == place[0]) & (labels["format"] == place[1])).to_numpy()
    return marked


def _scores(labels: pd.DataFrame, values: np.ndarray, names: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return a table of scores, documents x columns, a column for each benchmark and method."""
    frames = [
        pd.DataFrame({"doc_id": labels["doc_id"], "benchmark": benchmark, "method": method, "score": column})
        for (benchmark, method), column in zip(names, values.T, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _study(values: np.ndarray, names: Sequence[tuple[str, str]], labels: pd.DataFrame) -> tuple[Influence, Scored]:
    scored = gather_scored(widen(_scores(labels, values, names)), labels)
    return aggregate_scored(scored, SHARE, SETTINGS, Blocks()), scored


def _tested(values: np.ndarray, names: Sequence[tuple[str, str]], labels: pd.DataFrame) -> pd.DataFrame:
    influence, scored = _study(values, names, labels)
    return discoveries.bin_tests(influence, scored, SETTINGS)


ONE = [("quiz", "influence")]
TWO = [("quiz", "influence"), ("sums", "influence")]


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(BINS) * PER_BIN, 2))


def test_a_planted_bin_is_found_and_no_other_in_its_family(noise: np.ndarray) -> None:
    labels = _labels()
    noise[_of(labels, PLANTED), 0] += 40
    found = _tested(noise, TWO, labels).set_index(["benchmark", "topic", "format"])
    best = found.loc[("quiz", *PLANTED)]
    assert best["q"] <= 0.05
    assert best["p_family"] == pytest.approx(1 / 100)
    assert (found["p_family"] <= 0.05).sum() == 1
    assert best["shrunk"] == found["shrunk"].max()


def test_a_constant_score_has_no_discovery() -> None:
    found = _tested(np.full((len(BINS) * PER_BIN, 1), 0.25), ONE, _labels())
    for name in ("p", "q", "p_permutation", "p_family"):
        assert not (found[name] <= 0.05).any(), name
    assert (found["shrunk"] == 0).all()


def test_the_order_of_documents_changes_nothing(noise: np.ndarray) -> None:
    labels = _labels()
    other = np.random.default_rng(1).permutation(len(labels))
    pd.testing.assert_frame_equal(
        _tested(noise, TWO, labels), _tested(noise[other], TWO, labels.iloc[other].reset_index(drop=True))
    )


def test_a_method_more_is_no_further_chance(noise: np.ndarray) -> None:
    labels = _labels()
    alone = _tested(noise[:, :1], ONE, labels)
    both = _tested(noise, [*ONE, ("quiz", "bm25")], labels)
    pd.testing.assert_frame_equal(alone, both[both["method"] == "influence"].reset_index(drop=True))
    benchmarks = _tested(noise, TWO, labels)
    assert (benchmarks["q"].to_numpy()[: len(BINS)] >= alone["q"].to_numpy() - 1e-12).mean() > 0.5


def test_what_is_labelled_by_chance_is_seldom_called() -> None:
    """In 40 maps, of scores with heavy tails and clusters of two: the share of called bins, and of maps with one.

    One map in twenty may have a bin with p_family at or under .05; five or more of 40 do so in .05 of cases.
    """
    labels = _labels().assign(cluster_id=lambda table: (np.arange(len(table)) // 2).astype(str))
    rng, called, maps = np.random.default_rng(5), [], 0
    for _ in range(40):
        values = rng.standard_t(4, size=(len(labels) // 2, 1)).repeat(2, axis=0)
        found = _tested(values, ONE, labels)
        called.append((found["q"] <= 0.05).mean())
        maps += (found["p_family"] <= 0.05).any()
    assert np.mean(called) <= 0.05
    assert maps <= 5


def test_copies_of_one_cluster_count_once(noise: np.ndarray) -> None:
    labels = _labels()
    twice = pd.concat([labels.assign(cluster_id=labels["doc_id"]), _copies(labels)], ignore_index=True)
    once = _tested(noise, TWO, labels)
    again = _tested(np.concatenate([noise, noise]), TWO, twice)
    pd.testing.assert_series_equal(once["p_permutation"].isna(), again["p_permutation"].isna())
    # Clusters come in another order, so other permutations are drawn: the law is the same, to their number.
    assert np.corrcoef(once["p_permutation"], again["p_permutation"])[0, 1] > 0.97
    np.testing.assert_allclose(again["p"], once["p"], atol=1e-6)


def _copies(labels: pd.DataFrame) -> pd.DataFrame:
    return labels.assign(cluster_id=labels["doc_id"], doc_id=labels["doc_id"] + "/copy")


@pytest.mark.parametrize(("short", "copies"), [(100.0, 1), (250.0, 2)])
def test_length_is_no_discovery(noise: np.ndarray, short: float, copies: int) -> None:
    """A score that is the length of a document: no bin of long documents is called for it.

    Short documents may stand there several times, as one cluster: that makes none of them long.
    """
    labels = _labels().assign(cluster_id=lambda table: table["doc_id"])
    long = _of(labels, PLANTED)
    lengths = np.where(np.arange(len(labels)) % 3 == 0, 1000.0, short) + np.abs(noise[:, 0])
    lengths[long] = 1000.0 + np.abs(noise[long, 0])
    times = np.where(lengths > 500, 1, copies)
    labels = labels.loc[np.repeat(np.arange(len(labels)), times)].reset_index(drop=True)
    labels["doc_id"] += [f"/{place}" for place in range(len(labels))]
    lengths, noise = np.repeat(lengths, times), np.repeat(noise, times, axis=0)
    values = (lengths > 500).astype(float)[:, None] * 5 + noise[:, 1:] * 0.1
    seen = _tested(values, ONE, labels.assign(n_chars=lengths)).set_index(["topic", "format"]).loc[PLANTED]
    blind = _tested(values, ONE, labels).set_index(["topic", "format"]).loc[PLANTED]
    assert blind["p_permutation"] <= 0.05
    assert seen["p_permutation"] > 0.05


def test_single_documents_and_empty_bins_have_nulls(noise: np.ndarray) -> None:
    labels = _labels()
    kept = ~_of(labels, BINS[0])
    kept &= ~(_of(labels, BINS[1]) & ~labels["doc_id"].str.endswith("/0"))
    found = _tested(noise[kept], TWO, labels[kept].reset_index(drop=True))
    empty, single = found.iloc[0], found.iloc[1]
    assert empty[["p", "q", "p_permutation", "p_family", "shrunk"]].isna().all()
    assert single[["p", "q", "p_permutation", "p_family"]].isna().all()
    assert np.isfinite(single["shrunk"])


def _null(values: np.ndarray, names: Sequence[tuple[str, str]], labels: pd.DataFrame) -> pd.DataFrame:
    return widen(_scores(labels, values, names))


def test_a_bin_is_judged_by_each_null_that_has_its_benchmark(noise: np.ndarray) -> None:
    labels = _labels()
    noise[_of(labels, PLANTED), 0] += 10
    _, scored = _study(noise, TWO, labels)
    rng = np.random.default_rng(2)
    nulls = {
        "shuffled_answers": _null(rng.normal(size=noise.shape), TWO, labels),
        "random_weights": _null(rng.normal(size=(len(labels), 1)), ONE, labels),
    }
    found = discoveries.null_tests(scored, nulls)
    maps = [("shuffled_answers", "quiz"), ("shuffled_answers", "sums"), ("random_weights", "quiz")]
    for axis, count in (("bin", len(BINS)), ("topic", len(TOPICS))):
        rows = found[found["axis"] == axis].groupby(["variant", "benchmark"]).size().to_dict()
        assert rows == dict.fromkeys(maps, count)
    found = found[found["axis"] == "bin"]
    best = found[(found["topic"] == PLANTED[0]) & (found["format"] == PLANTED[1]) & (found["benchmark"] == "quiz")]
    assert (best["q"] <= 0.05).all()
    assert (found["q"] <= 0.05).sum() <= 4
    rates = discoveries.null_calibration(scored, nulls)
    assert set(rates["benchmark"]) == {"quiz"}
    own = rates[(rates["judge"] == rates["variant"]) & (rates["measure"] == "rank_p") & (rates["axis"] == "bin")]
    assert own["share"].between(0.02, 0.08).all()


def test_one_table_says_of_every_bin_what_it_is_and_whether_it_is_chance(noise: np.ndarray) -> None:
    labels = _labels()
    influence, scored = _study(noise, TWO, labels)
    bins = np.repeat(np.random.default_rng(6).normal(size=len(BINS)), PER_BIN)[:, None]
    nulls = {"noise": _null(noise[::-1], TWO, labels), "bins": _null(noise[:, :1] + bins, ONE, labels)}
    judged = discoveries.null_tests(scored, nulls)
    table = discoveries.aggregate_bins(influence, scored, judged, SETTINGS)
    pd.testing.assert_frame_equal(table[list(influence.bins().columns)], influence.bins())
    tests = discoveries.bin_tests(influence, scored, SETTINGS)
    pd.testing.assert_frame_equal(table[list(tests.columns)], tests)
    bins = judged[judged["axis"] == "bin"]
    sizes = bins.assign(size=bins["null_z"].abs()).groupby(["benchmark", "topic", "format"])["size"].min()
    np.testing.assert_array_equal(
        table.set_index(["benchmark", "topic", "format"])["null_z"].abs().sort_index(), sizes.sort_index()
    )


def test_a_topic_that_differs_is_called_and_one_that_differs_under_a_null_too_is_not(noise: np.ndarray) -> None:
    labels = _labels()
    raised = (labels["topic"] == TOPICS[3]).to_numpy(), (labels["topic"] == TOPICS[7]).to_numpy()
    noise[raised[0] | raised[1], 0] += 2
    influence, scored = _study(noise, TWO, labels)
    null = np.random.default_rng(4).normal(size=noise.shape)
    null[raised[1], 0] += 20
    judged = discoveries.null_tests(
        scored, {"flat": _null(null[:, [1, 1]], TWO, labels), "x": _null(null, TWO, labels)}
    )
    table = discoveries.aggregate_topics(influence, judged)
    pd.testing.assert_frame_equal(table[list(influence.marginal("topic").columns)], influence.marginal("topic"))
    best = table[table["z"] > 0].query("q <= 0.05")
    assert set(zip(best["benchmark"], best["topic"], strict=True)) == {("quiz", TOPICS[3]), ("quiz", TOPICS[7])}
    quiz = judged[(judged["axis"] == "topic") & (judged["benchmark"] == "quiz")]
    flat = quiz[quiz["variant"] == "flat"].set_index("topic")
    assert set(flat.index[(flat["q"] <= 0.05) & (flat["null_z"] > 0)]) == {TOPICS[3], TOPICS[7]}
    assert flat["difference"].nlargest(2).index.sort_values().tolist() == sorted([TOPICS[3], TOPICS[7]])
    other = quiz[quiz["variant"] == "x"].set_index("topic")
    assert other["difference"].idxmin() == TOPICS[7]
    assert not (other["q"] <= 0.05).any()  # topics of this null differ more than those of the study


def test_the_family_of_a_topics_q_is_all_topics_of_a_method(noise: np.ndarray) -> None:
    influence, _ = _study(noise, TWO, _labels())
    table = discoveries.aggregate_topics(influence, discoveries.null_tests(_study(noise, TWO, _labels())[1], {}))
    np.testing.assert_allclose(table["q"], false_discovery_control(table["p"]))
    assert table["null_z"].isna().all()


def test_items_are_compared_with_nulls_by_the_scores_made_for_it(noise: np.ndarray) -> None:
    labels = _labels()
    _, scored = _study(noise, TWO, labels)
    even = discoveries.compared_with_nulls(scored, _null(7 * noise[:, :1], ONE, labels))
    assert even.columns == ONE
    np.testing.assert_allclose(even.scores[:, 0], 7 * scored.scores[:, scored.columns.index(ONE[0])])
    assert discoveries.compared_with_nulls(scored, None).columns == []
    assert discoveries.null_tests(discoveries.compared_with_nulls(scored, None), {}).empty


def test_without_nulls_the_table_of_bins_has_no_null_z(noise: np.ndarray) -> None:
    influence, scored = _study(noise, TWO, _labels())
    table = discoveries.aggregate_bins(influence, scored, discoveries.null_tests(scored, {}), SETTINGS)
    assert len(table) == 2 * len(BINS)
    assert table["null_z"].isna().all()


def test_without_nulls_there_are_tables_without_rows(noise: np.ndarray) -> None:
    _, scored = _study(noise, TWO, _labels())
    for found, schema in (
        (discoveries.null_tests(scored, {}), NullTests),
        (discoveries.null_calibration(scored, {}), NullCalibration),
    ):
        assert found.empty
        assert list(found.columns) == list(schema.to_schema().columns)


def test_a_null_of_other_documents_is_refused(noise: np.ndarray) -> None:
    labels = _labels()
    _, scored = _study(noise, TWO, labels)
    null = _null(noise, TWO, labels).drop(index=scored.ids[7])
    with pytest.raises(AttributionError, match=f"document '{scored.ids[7]}' .* has scores and none for the null 'x'"):
        discoveries.null_tests(scored, {"x": null})


def test_a_map_of_topics_is_topic_and_the_parts_are_the_whole(noise: np.ndarray) -> None:
    labels = _labels()
    topics = labels["topic"].map({topic: float(place) for place, topic in enumerate(TOPICS)}).to_numpy()
    influence, _ = _study(np.stack([topics + 0.01 * noise[:, 0], noise[:, 1]], axis=1), TWO, labels)
    found = discoveries.decompose_maps(influence).pivot(index="benchmark", columns="part", values="share")
    np.testing.assert_allclose(found[[*PARTS, "noise"]].sum(axis=1), 1)
    assert found.loc["quiz", "topic"] > 0.99
    assert found.loc["sums", "noise"] > 0.8


def test_a_topic_that_right_answers_raise_is_in_the_tables_with_its_sign(noise: np.ndarray) -> None:
    labels = _labels()
    raised, lowered = ((labels["topic"] == TOPICS[place]).to_numpy() for place in (3, 7))
    shared = 5 * np.random.default_rng(1).normal(size=len(TOPICS))[labels["topic"].map(TOPICS.index)][:, None]
    items = noise + shared
    items[raised] += 2
    items[lowered] -= 2
    influence, scored = _study(items, TWO, labels)
    rng = np.random.default_rng(2)
    wrong = {
        name: _null(shared + rng.normal(size=noise.shape), TWO, labels)
        for name in ("shuffled_answers", "wrong_answers")
    }
    nulls = {**wrong, "random_weights": _null(rng.normal(size=noise.shape), TWO, labels)}
    judged = discoveries.null_tests(scored, nulls)
    assert judged.loc[judged["variant"] == "random_weights", "difference_q"].isna().all()
    table = discoveries.aggregate_topics(influence, judged)
    called = table[table["answer_q"] <= 0.05]
    assert {(row.topic, row.answer_z > 0) for row in called.itertuples()} == {(TOPICS[3], True), (TOPICS[7], False)}
    largest = judged[judged["axis"] == "topic"].groupby(["benchmark", "topic"])["difference_q"].max()
    pd.testing.assert_series_equal(
        table.set_index(["benchmark", "topic"])["answer_q"].sort_index(), largest.sort_index(), check_names=False
    )
    rates = discoveries.null_calibration(scored, nulls).query("measure == 'difference_q'")
    assert set(zip(rates["variant"], rates["judge"], strict=True)) == {("shuffled_answers", "wrong_answers")}
    assert rates["share"].max() <= 0.05
    alone = discoveries.null_tests(scored, {"wrong_answers": wrong["wrong_answers"]})
    assert alone["difference_q"].isna().all()
    assert discoveries.aggregate_topics(influence, alone)["answer_q"].isna().all()
