"""The share that one map explains of another is that of the maps without noise, however noisy both are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.comparison.explained import (
    UNTRAINED,
    TopicMap,
    explain_by_methods,
    explain_by_untrained,
    explained_share,
)
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.scored import gather_scored, widen
from social_provenance.regions.grid import BINS, TOPICS

T, R = 24, 400
SETTINGS = Bootstrap(replicates=200, seed=3)


def _maps(seed: int, shared: float, noise: float, common: float = 0.0) -> tuple[TopicMap, TopicMap]:
    """Return two maps whose true correlation over topics is ``shared``, exactly, measured with noise.

    The errors of both have the correlation ``common``, as those of two maps of the same documents.
    """
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(T, 2))
    true -= true.mean(axis=0)
    true = np.linalg.qr(true)[0] * np.sqrt(T - 1)
    true[:, 1] = shared * true[:, 0] + np.sqrt(1 - shared**2) * true[:, 1]
    root = np.linalg.cholesky(np.array([[1.0, common], [common, 1.0]]))
    errors, drawn = noise * rng.normal(size=(T, 2)) @ root.T, noise * rng.normal(size=(R, T, 2)) @ root.T
    one, other = (TopicMap(true[:, place] + errors[:, place], drawn[..., place]) for place in (0, 1))
    return one, other


@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("common", [0.0, 0.8])
def test_noise_neither_hides_nor_makes_what_two_maps_share(shared: float, common: float) -> None:
    """Means of 60 shares, each of 24 topics; uncorrected, 0.6 ** 2 would be 0.23 or, with common errors, 0.42."""
    found = [explained_share(*_maps(seed, shared, 0.5, common), 0.95)["share"] for seed in range(60)]
    assert np.mean(found) == pytest.approx(shared**2, abs=0.08)


@pytest.mark.parametrize(("shared", "least"), [(0.3, 0.85), (0.6, 0.85)])
def test_the_interval_has_the_true_share_in_most_maps(shared: float, least: float) -> None:
    found = [explained_share(*_maps(seed, shared, 0.4, 0.5), 0.95) for seed in range(100)]
    assert np.mean([row["ci_low"] <= shared**2 <= row["ci_high"] for row in found]) >= least


def test_precise_maps_are_told_apart_and_noisy_copies_of_one_map_are_not() -> None:
    apart = [explained_share(*_maps(seed, 0.3, 0.3), 0.95)["ci_high"] < 0.5 for seed in range(40)]
    copies = [explained_share(*_maps(seed, 1.0, 1.0, 0.5), 0.95)["ci_high"] < 0.5 for seed in range(40)]
    assert np.mean(apart) > 0.8
    assert np.mean(copies) < 0.05


def test_neither_unit_nor_sign_nor_level_of_a_map_matters() -> None:
    one, other = _maps(0, 0.6, 0.3)
    changed = TopicMap(5 - 7 * other.values, -7 * other.deviations)
    assert explained_share(one, changed, 0.95) == pytest.approx(explained_share(one, other, 0.95))


def _weaker(seed: int, shared: float, size: float, noise: float) -> tuple[TopicMap, TopicMap]:
    """Return two maps of :func:`_maps`, the true values of the second multiplied by ``size``, its noise not."""
    one, other = _maps(seed, shared, noise)
    true = _maps(seed, shared, 0.0)[1].values
    return one, TopicMap(other.values + (size - 1) * true, other.deviations)


@pytest.mark.parametrize("size", [0.1, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_at_its_own_size_a_weak_map_explains_what_its_multiples_up_to_one_remove(shared: float, size: float) -> None:
    """Means of 60 shares: the best multiple is ``shared / size``, at most 1."""
    found = [explained_share(*_weaker(seed, shared, size, 0.2), 0.95, amplified=False)["share"] for seed in range(60)]
    multiple = min(shared / size, 1)
    assert np.mean(found) == pytest.approx(2 * multiple * size * shared - (multiple * size) ** 2, abs=0.08)


def test_of_a_map_of_noise_the_bound_at_its_own_size_is_known_and_amplified_it_is_not() -> None:
    maps = [_weaker(seed, 1.0, 0.0, 0.2) for seed in range(40)]
    own_size, amplified = (
        np.array([explained_share(*pair, 0.95, amplified=amplified)["ci_high"] for pair in maps])
        for amplified in (False, True)
    )
    assert (own_size < 0.5).mean() > 0.95
    assert (amplified < 0.5).mean() < 0.5


@pytest.mark.parametrize("size", [0.25, 0.5, 1.0])
def test_the_interval_at_its_own_size_has_the_true_share_in_most_maps(size: float) -> None:
    true = 2 * min(0.6, size) * 0.6 - min(0.6, size) ** 2
    found = [explained_share(*_weaker(seed, 0.6, size, 0.3), 0.95, amplified=False) for seed in range(100)]
    assert np.mean([row["ci_low"] <= true <= row["ci_high"] for row in found]) >= 0.85


def test_a_map_of_noise_has_nothing_of_its_own_and_explains_nothing() -> None:
    one, other = _maps(0, 0.6, 0.1)
    loud = TopicMap(other.values, 50 * np.random.default_rng(1).normal(size=(R, T)))
    assert explained_share(loud, one, 0.95)["share"] == 1
    assert explained_share(one, loud, 0.95)["share"] == 0


def test_topics_without_documents_have_no_part_and_two_are_too_few() -> None:
    one, other = _maps(0, 0.6, 0.3)
    some = TopicMap(np.where(np.arange(T) < 20, one.values, np.nan), one.deviations)
    cut = [TopicMap(each.values[:20], each.deviations[:, :20]) for each in (one, other)]
    assert explained_share(some, other, 0.95) == pytest.approx(explained_share(*cut, 0.95))
    few = explained_share(*(TopicMap(each.values[:2], each.deviations[:, :2]) for each in (one, other)), 0.95)
    assert few["n_topics"] == 2
    assert np.isnan(few["share"])


def _study(columns: dict[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    ids = [f"{topic}/{form}/{number}" for topic, form in BINS for number in range(4)]
    return pd.concat(
        pd.DataFrame({"doc_id": ids, "benchmark": benchmark, "method": method, "score": values})
        for (benchmark, method), values in columns.items()
    )


def _of_topics(seed: int) -> np.ndarray:
    """Return the value of each document's topic."""
    return np.repeat(np.random.default_rng(seed).normal(size=len(TOPICS)), len(BINS) // len(TOPICS) * 4)


def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(BINS) * 4)


def test_tables_have_a_row_for_each_map_that_is_there() -> None:
    labels = pd.DataFrame(
        [(f"{topic}/{form}/{number}", topic, form) for topic, form in BINS for number in range(4)],
        columns=["doc_id", "topic", "format"],
    )
    map_, other = _of_topics(0), _of_topics(1)
    scores = {
        ("quiz", "influence"): map_ + _noise(2),
        ("quiz", "bm25"): 3 * map_ + _noise(3),
        ("sums", "influence"): map_ + _noise(4),
    }
    scored = gather_scored(widen(_study(scores)), labels)
    prevalence = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))
    by_methods = explain_by_methods(aggregate_scored(scored, prevalence, SETTINGS), "influence", ["bm25", "embedding"])
    assert by_methods[["benchmark", "method", "other"]].to_numpy().tolist() == [["quiz", "influence", "bm25"]]
    assert by_methods["share"].item() > 0.9
    untrained = widen(_study({("quiz", "influence"): map_ + _noise(5), ("sums", "influence"): other + _noise(6)}))
    found = explain_by_untrained(scored, untrained, "influence", SETTINGS).set_index("benchmark")
    assert set(found["other"]) == {UNTRAINED}
    assert found.loc["quiz", "share"] > 0.9
    assert found.loc["sums", "ci_high"] < 0.5
    assert explain_by_untrained(scored, untrained, "trak", SETTINGS).empty
