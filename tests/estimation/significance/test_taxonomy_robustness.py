"""Certain labels change nothing, a rate of zero flips nothing, and clusters that are topics lose nothing."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.comparison.agreement import AGREEMENTS
from social_provenance.estimation.significance.label_noise import transition_matrix
from social_provenance.estimation.significance.taxonomy_robustness import (
    cluster_embeddings,
    flip_labels,
    weigh_by_confidence,
)

COLUMNS = [("quiz", "trackstar"), ("arc", "bm25")]
N_BINS = 576


@pytest.fixture
def given() -> tuple[np.ndarray, np.ndarray]:
    """Return scores with topics in them, and bins; four documents in each bin."""
    rng = np.random.default_rng(0)
    bins = np.repeat(np.arange(N_BINS), 4)
    return rng.normal(size=(len(bins), 2)) + rng.normal(size=(24, 2))[bins // 24], bins


def test_equal_confidence_changes_nothing_and_another_unit_of_it_neither(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    table = weigh_by_confidence(scores, COLUMNS, bins, np.full(len(bins), 0.37))
    assert list(table) == ["benchmark", "method", "check", "measure", "value"]
    assert len(table) == len(COLUMNS) * len(AGREEMENTS)
    np.testing.assert_allclose(table["value"], 1)
    confidence = np.random.default_rng(1).uniform(0.1, 1, len(bins))
    one, other = (weigh_by_confidence(scores, COLUMNS, bins, factor * confidence)["value"] for factor in (1, 0.5))
    np.testing.assert_allclose(one, other)
    assert (one < 1).any()


def test_a_document_of_no_confidence_is_as_if_it_were_not_there(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    wrong = np.arange(len(bins)) % 4 == 0
    spoilt = np.where(wrong[:, None], 100 * np.random.default_rng(2).normal(size=scores.shape), scores)
    table = weigh_by_confidence(spoilt, COLUMNS, bins, (~wrong).astype(float)).set_index(["benchmark", "measure"])
    clean, dirty = (np.bincount(bins, weights=np.where(wrong, part, scores[:, 0])) for part in (0.0, spoilt[:, 0]))
    assert table.loc[("quiz", "bin_correlation"), "value"] == pytest.approx(np.corrcoef(clean, dirty)[0, 1])


def test_a_rate_of_zero_flips_nothing(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    table = flip_labels(scores, COLUMNS, bins, transition_matrix(0.0, 0.0), repeats=3).set_index("measure")["value"]
    assert set(table.index) == {*AGREEMENTS, *(f"{name}_sd" for name in AGREEMENTS)}
    np.testing.assert_allclose(table[list(AGREEMENTS)], 1)
    np.testing.assert_allclose(table[[f"{name}_sd" for name in AGREEMENTS]], 0, atol=1e-12)


def test_more_flips_lose_more_and_labels_of_chance_lose_all(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    rates = (0.1, 0.3, 0.6, 23 / 24)
    tables = [flip_labels(scores, COLUMNS, bins, transition_matrix(rate, rate), repeats=10) for rate in rates]
    found = np.array([table[table["measure"] == "bin_correlation"]["value"] for table in tables])
    assert (np.diff(found, axis=0) < 0).all()
    np.testing.assert_allclose(found[-1], 0, atol=0.06)
    assert (found[0] > 0.7).all()


def test_the_law_is_what_is_drawn(given: tuple[np.ndarray, np.ndarray]) -> None:
    """Topics change places in a ring: the flipped map is the map, moved by a row."""
    scores, bins = given
    ring = np.roll(np.eye(24), 1, axis=1)
    moved = (bins + 24) % N_BINS
    maps = [np.bincount(own, weights=scores[:, 0], minlength=N_BINS) / 4 for own in (bins, moved)]
    table = flip_labels(scores, COLUMNS, bins, np.kron(ring, np.eye(24)), repeats=1).set_index(["benchmark", "measure"])
    assert table.loc[("quiz", "bin_correlation"), "value"] == pytest.approx(np.corrcoef(*maps)[0, 1])
    assert np.isnan(table.loc[("quiz", "bin_correlation_sd"), "value"])


def test_mean_and_spread_are_those_of_the_draws(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    law = transition_matrix(0.3, 0.3)
    one, two = (
        flip_labels(scores, COLUMNS, bins, law, repeats).groupby("measure")["value"].first() for repeats in (1, 2)
    )
    first = one["bin_correlation"]
    second = 2 * two["bin_correlation"] - first
    assert first != second
    assert two["bin_correlation_sd"] == pytest.approx(abs(first - second) / np.sqrt(2))


def test_a_seed_gives_its_flips_again_and_the_order_of_columns_is_theirs(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    law = transition_matrix(0.3, 0.3)
    one, again, other = (flip_labels(scores, COLUMNS, bins, law, 3, seed) for seed in (0, 0, 1))
    assert one.equals(again)
    assert not one.equals(other)
    turned = flip_labels(scores[:, ::-1], COLUMNS[::-1], bins, law, 3)
    key = ["benchmark", "method", "check", "measure"]
    assert turned.set_index(key).loc[one.set_index(key).index].reset_index().equals(one)


def _clusters(scores: np.ndarray, topics: np.ndarray, embeddings: np.ndarray, n: int = 24) -> dict[str, np.ndarray]:
    table = cluster_embeddings(scores, COLUMNS, topics, embeddings, n)
    assert set(table["check"]) == {"clusters"}
    return {str(name): own["value"].to_numpy() for name, own in table.groupby("measure")}


def test_clusters_that_are_topics_reproduce_all_and_clusters_of_chance_nothing(
    given: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, bins = given
    topics, rng = bins // 24, np.random.default_rng(3)
    found = _clusters(scores, topics, np.eye(24)[topics] + 0.01 * rng.normal(size=(len(bins), 24)))
    np.testing.assert_allclose(found["reproduced"], 1)
    np.testing.assert_allclose(found["between_clusters"], found["between_topics"])
    assert (found["between_topics"] > 0.2).all()
    chance = _clusters(scores, topics, rng.normal(size=(len(bins), 8)))
    np.testing.assert_allclose(chance["reproduced"], 0, atol=0.03)
    np.testing.assert_allclose(chance["between_clusters"], 0, atol=0.03)


def test_few_documents_in_many_clusters_of_chance_explain_nothing_either() -> None:
    """100 documents, 24 clusters, 100 columns: without correction clusters would explain .23."""
    rng = np.random.default_rng(0)
    columns = [(f"b{number}", "trackstar") for number in range(100)]
    table = cluster_embeddings(rng.normal(size=(100, 100)), columns, np.arange(100) % 5, rng.normal(size=(100, 6)))
    means = table.groupby("measure")["value"].mean()
    np.testing.assert_allclose(means, 0, atol=0.06)


def test_clusters_that_join_topics_reproduce_what_lies_between_the_joined(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    topics = bins // 24
    pairs = topics // 2
    found = _clusters(scores, topics, 3 * np.eye(12)[pairs], 12)["reproduced"]
    means = np.stack([scores[topics == topic].mean(axis=0) for topic in range(24)])
    joined = means.reshape(12, 2, 2).mean(axis=1)
    np.testing.assert_allclose(found, joined.var(axis=0) / means.var(axis=0), atol=0.01)


def test_a_constant_score_has_nothing_to_reproduce(given: tuple[np.ndarray, np.ndarray]) -> None:
    _, bins = given
    found = _clusters(np.full((len(bins), 2), 0.1), bins // 24, np.random.default_rng(0).normal(size=(len(bins), 4)), 5)
    assert np.isnan(list(found.values())).all()


def test_what_cannot_be_used_is_refused(given: tuple[np.ndarray, np.ndarray]) -> None:
    scores, bins = given
    sure, width = np.ones(len(bins)), np.ones((len(bins), 3))
    with pytest.raises(AttributionError, match=r"scores\[0, 0\] is nan"):
        weigh_by_confidence(scores * np.nan, COLUMNS, bins, sure)
    with pytest.raises(AttributionError, match=r"confidence\[0\] is -1\.0"):
        weigh_by_confidence(scores, COLUMNS, bins, -sure)
    with pytest.raises(AttributionError, match="confidence are of 2303 documents"):
        weigh_by_confidence(scores, COLUMNS, bins, sure[1:])
    with pytest.raises(AttributionError, match=r"flips has the shape \(24, 24\)"):
        flip_labels(scores, COLUMNS, bins, np.eye(24))
    with pytest.raises(AttributionError, match="row 0 of flips sums to 2"):
        flip_labels(scores, COLUMNS, bins, 2 * np.eye(576))
    with pytest.raises(AttributionError, match="repeats is 0"):
        flip_labels(scores, COLUMNS, bins, transition_matrix(0.0, 0.0), 0)
    with pytest.raises(AttributionError, match=r"embeddings\[0\] has nan"):
        cluster_embeddings(scores, COLUMNS, bins // 24, width * np.nan)
    with pytest.raises(AttributionError, match="3 documents cannot form 24 clusters"):
        cluster_embeddings(scores[:3], COLUMNS, bins[:3], width[:3])
