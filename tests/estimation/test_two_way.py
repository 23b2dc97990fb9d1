"""Intervals cover the truth as often as they say, in worlds where documents and queries are both random."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.multipliers import hash_names
from social_provenance.estimation.scored import Scored
from social_provenance.estimation.settings import Bootstrap
from social_provenance.estimation.two_way import Blocks, TwoWay, two_way
from social_provenance.regions.grid import BINS

COLUMN = ("quiz", "trackstar")
USED = 24
WORLDS = 200


def _found(blocks: np.ndarray, bins: np.ndarray, sizes: np.ndarray, seed: int, replicates: int = 400) -> TwoWay:
    ids = np.array([f"{seed}/{place:05d}" for place in range(len(bins))], dtype=object)
    weights = sizes / sizes.sum()
    scored = Scored(
        ids, [COLUMN], (blocks @ weights)[:, None], bins, hash_names(ids), np.zeros(len(ids)), np.ones(len(ids))
    )
    return two_way(
        scored, Bootstrap(replicates=replicates, seed=seed), Blocks({"quiz": weights}, lambda _: (ids, blocks))
    )


def _coverage(per_bin: int, sizes: list[int], document: float, query: float, both: float) -> dict[str, float]:
    """Return how often 95 % intervals hold the truth, over seeded worlds.

    A score is the bin's mean + an effect of the document + of the query + of the query in this bin +
    of both, all normal with the standard deviations that are given; a block is a mean over queries.
    """
    bins, counts = np.repeat(np.arange(USED), per_bin), np.array(sizes)
    whole = {"topic": np.full(USED, 1 / USED), "difference": np.repeat([2 / USED, -2 / USED], USED // 2)}
    hits: dict[str, list[float]] = {"bin": [], "topic": [], "difference": []}
    for seed in range(WORLDS):
        rng = np.random.default_rng(seed)
        truth, error = rng.normal(size=USED), 1 / np.sqrt(counts)
        queries = query * (rng.normal(size=len(counts)) + rng.normal(size=(USED, len(counts)))) * error
        effects = document * rng.normal(size=(len(bins), 1)) + both * rng.normal(size=(len(bins), len(counts))) * error
        found = _found(truth[bins, None] + queries[bins] + effects, bins, counts, seed)
        low, high = found.uncertainty.interval(found.means, 0.95)
        hits["bin"].append(((low[:USED, 0] < truth) & (truth < high[:USED, 0])).mean())
        for name, weights in whole.items():
            every = np.zeros((1, len(BINS)))
            every[0, :USED] = weights
            estimate = (weights @ found.means[:USED]).reshape(1, 1)
            low, high = found.uncertainty.over_labels(every).interval(estimate, 0.95)
            hits[name].append(bool(low < weights @ truth < high))
    return {name: float(np.mean(own)) for name, own in hits.items()}


@pytest.mark.parametrize(
    ("per_bin", "sizes", "document", "query", "both"),
    [
        (4, [1] * 20, 1, 1, 1),
        (4, [1] * 20, 1, 0, 3),
        (20, [3] * 8, 1, 3, 1),
        (12, [9, 4, 4, 3, 3, 2, 2, 1, 1, 1], 2, 4, 2),
    ],
    ids=["four documents a bin", "no queries, much interaction", "few blocks", "unequal blocks"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    per_bin: int, sizes: list[int], document: float, query: float, both: float
) -> None:
    found = _coverage(per_bin, sizes, document, query, both)
    # 200 worlds: a topic's rate has a standard error of .015, three of which are allowed. The 4,800 bins share the
    # queries of their world, which leaves about .007.
    assert 0.93 <= found["bin"] <= 0.97
    assert 0.904 <= found["topic"] <= 0.996
    assert 0.904 <= found["difference"] <= 0.996


def test_pages_of_a_site_that_tell_the_same_do_not_narrow_an_interval() -> None:
    # Eight sites a bin, of one page to four; what a page scores is what its site scores, but for a little noise.
    pages = np.repeat(np.arange(8), [4, 3, 3, 2, 2, 2, 1, 1])
    bins = np.repeat(np.arange(USED), len(pages))
    sites = (bins * 8 + np.tile(pages, USED)).tolist()
    hits: dict[str, list[float]] = {"sites": [], "pages": []}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=USED)
        scores = truth[bins] + rng.normal(size=USED * 8)[sites] + 0.2 * rng.normal(size=len(bins))
        ids = np.array([f"{seed}/{place:05d}" for place in range(len(bins))], dtype=object)
        for name, clusters in (("sites", [f"{seed}/{site}" for site in sites]), ("pages", ids)):
            scored = Scored(
                ids, [COLUMN], scores[:, None], bins, hash_names(clusters), np.zeros(len(ids)), np.ones(len(ids))
            )
            found = two_way(scored, Bootstrap(replicates=400, seed=seed), Blocks())
            low, high = found.uncertainty.interval(found.means, 0.95)
            hits[name].append(((low[:USED, 0] < truth) & (truth < high[:USED, 0])).mean())
    # 1,440 bins: a rate of .95 has a standard error of .006.
    assert np.mean(hits["sites"]) == pytest.approx(0.95, abs=0.025)
    assert np.mean(hits["pages"]) < 0.85


@pytest.mark.parametrize("pages", [[1, 1], [1, 1, 1], [5, 5, 5], [4, 1], [6, 3, 2, 1]])
@pytest.mark.parametrize("sizes", [[1, 1], [3, 3, 3, 3], [7, 2, 1]])
def test_degrees_of_freedom_are_one_less_than_the_effective_number_of_sites_and_of_blocks(
    pages: list[int], sizes: list[int]
) -> None:
    sites = np.repeat(np.arange(len(pages)), pages)
    ids = np.array([f"{place:02d}" for place in range(len(sites))], dtype=object)
    blocks = np.random.default_rng(0).normal(size=(len(sites), len(sizes)))
    counts = np.array(sizes)
    weights = counts / counts.sum()
    hashes = hash_names([f"site {site}" for site in sites])
    scored = Scored(
        ids, [COLUMN], (blocks @ weights)[:, None], np.full(len(ids), 5), hashes, np.zeros(len(ids)), np.ones(len(ids))
    )
    found = two_way(scored, Bootstrap(replicates=8), Blocks({"quiz": weights}, lambda _: (ids, blocks))).uncertainty
    for df, parts in ((found.document_df, pages), (found.query_df, sizes)):
        # Kish: (sum of sizes)^2 / sum of their squares; equal clusters count one each, however large.
        assert df[5, 0] == pytest.approx(sum(parts) ** 2 / sum(part**2 for part in parts) - 1)


def _world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, 6)), np.repeat([3, 7, 11], 20), np.array([4, 4, 4, 3, 3, 3])


def test_methods_are_paired_by_query_and_benchmarks_are_not() -> None:
    blocks, bins, sizes = _world()
    weights = sizes / sizes.sum()
    columns = [("quiz", "trackstar"), ("quiz", "influence"), ("sums", "trackstar")]
    ids = np.array([f"0/{place:05d}" for place in range(60)], dtype=object)
    scores = np.repeat((blocks @ weights)[:, None], 3, axis=1)
    scored = Scored(ids, columns, scores, bins, hash_names(ids), np.zeros(60), np.ones(60))
    given = Blocks({"quiz": weights, "sums": weights}, lambda _: (ids, blocks))
    found, alone = two_way(scored, Bootstrap(replicates=400), given), _found(blocks, bins, sizes, 0)
    for own, single, shared in (
        (found.uncertainty.queries, alone.uncertainty.queries, False),
        (found.query_halves, alone.query_halves, False),
        (found.uncertainty.documents, alone.uncertainty.documents, True),
    ):
        assert own.shape == (*single.shape[:-1], 3)
        np.testing.assert_allclose(own[..., 0], single[..., 0], rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(own[..., 1], own[..., 0], rtol=1e-3, atol=1e-6)
        assert np.allclose(own[..., 2], own[..., 0], rtol=1e-3, atol=1e-6, equal_nan=True) == shared


def test_fewer_items_than_blocks_are_fewer_blocks() -> None:
    blocks, bins, _ = _world()
    two = _found(blocks[:, :2], bins, np.array([1, 1]), 0)
    assert np.isfinite(two.uncertainty.interval(two.means, 0.95)[0][[3, 7, 11]]).all()
    one = _found(blocks[:, :1], bins, np.array([1]), 0)
    assert not one.uncertainty.queries.any()
    assert one.uncertainty.documents[:, [3, 7, 11]].all()
    assert np.isnan(one.query_halves).all()


def test_a_score_that_does_not_ask_the_queries_has_uncertainty_over_documents_only() -> None:
    blocks, bins, sizes = _world()
    found = _found(np.repeat(blocks[:, :1], 6, axis=1), bins, sizes, 0)
    assert np.abs(found.uncertainty.queries).max() < 1e-6
    np.testing.assert_allclose(found.uncertainty.standard_error()[3], blocks[:20, 0].std(ddof=1) / 20**0.5, rtol=0.15)


def test_a_constant_score_has_no_uncertainty() -> None:
    _, bins, sizes = _world()
    found = _found(np.full((60, 6), 0.1), bins, sizes, 0)
    assert np.abs(found.uncertainty.deviations()).max() < 1e-12


def test_the_order_of_documents_does_not_matter() -> None:
    blocks, bins, sizes = _world()
    ids, order = (
        np.array([f"{place:03d}" for place in range(60)], dtype=object),
        np.random.default_rng(1).permutation(60),
    )
    weights = sizes / sizes.sum()
    scored = Scored(
        ids, [COLUMN], (blocks @ weights)[:, None], bins, hash_names(ids), np.zeros(len(ids)), np.ones(len(ids))
    )
    settings = Bootstrap(replicates=20)
    one = two_way(scored, settings, Blocks({"quiz": weights}, lambda _: (ids, blocks)))
    other = two_way(scored, settings, Blocks({"quiz": weights}, lambda _: (ids[order], blocks[order])))
    np.testing.assert_array_equal(one.uncertainty.deviations(), other.uncertainty.deviations())
    np.testing.assert_array_equal(one.query_halves, other.query_halves)
