"""A null that is judged by itself is called at its nominal rate, and units do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance import nulls
from social_provenance.estimation.significance.nulls import (
    PEERS,
    StandardisedMap,
    difference_map,
    judge,
    judge_by_documents,
    null_z,
    of_topics,
    peer_of,
    standardise_map,
)

T, F, N = 24, 24, 8
BINS = np.repeat(np.arange(T * F), N)
TOPICS = np.repeat(np.arange(T), F)


def _scores(seed: int, structure: float = 0.0, columns: int = 2) -> np.ndarray:
    """Return documents x columns; bins differ by ``structure`` standard deviations of a document."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(BINS), columns)) + structure * rng.normal(size=(T * F, columns))[BINS]


def test_without_structure_in_the_null_it_is_nearly_the_t_of_the_bins_documents() -> None:
    scores = _scores(0)
    scores[BINS == 5] += 4
    found = null_z(scores, _scores(1), BINS, T * F)
    assert (found.between < 0.015).all()
    own = scores.reshape(T * F, N, 2)
    plain = stats.ttest_1samp(own - scores.mean(axis=0), 0, axis=1)
    assert np.corrcoef(found.z[:, 0], plain.statistic[:, 0])[0, 1] > 0.95
    assert (found.q[5] <= 0.05).all()


def test_what_the_null_does_too_is_not_called() -> None:
    scores, null = _scores(0, 1.0), _scores(1, 1.0)
    assert (null_z(scores, _scores(1), BINS, T * F).q <= 0.05).mean() > 0.2
    found = null_z(scores, null, BINS, T * F)
    assert (found.q <= 0.05).mean() < 0.005
    np.testing.assert_allclose(found.between, 1, atol=0.2)


@pytest.mark.parametrize("structure", [0.0, 0.3, 2.0])
def test_the_rate_under_the_null_is_nominal_and_q_calls_next_to_nothing(structure: float) -> None:
    """40 pairs of maps of the same law: 46,080 bins, a rate of .05 is known to +- .003 (99 %).

    Where nothing but documents spreads the bins, and all bins' documents alike, their spread is known
    better than its degrees of freedom say: the rate is .04.
    """
    found = [null_z(_scores(seed, structure), _scores(1000 + seed, structure), BINS, T * F) for seed in range(40)]
    rates = np.array([(one.p <= 0.05).mean() for one in found])
    assert 0.036 < rates.mean() < 0.056
    assert np.mean([(one.q <= 0.05).mean() for one in found]) < 0.001
    z = np.concatenate([one.z.ravel() for one in found])
    assert np.median(np.abs(z)) == pytest.approx(0.6745, abs=0.06)


def _heavy(seed: int) -> np.ndarray:
    """Return skewed documents in bins whose true values have heavy tails."""
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(len(BINS), 2)) ** 1.5 + 0.5 * rng.standard_t(3, size=(T * F, 2))[BINS]


def test_ranks_hold_the_rate_whatever_the_law_and_a_normal_law_does_not() -> None:
    """100 pairs of maps of 1,152 bins: with no effect, q calls a bin in at most one pair of twenty."""
    found = [null_z(_heavy(seed), _heavy(1000 + seed), BINS, T * F) for seed in range(100)]
    assert np.mean([(one.rank_p <= 0.05).mean() for one in found]) == pytest.approx(0.05, abs=0.006)
    by_rank, by_law = (
        sum(bool((one <= 0.05).any()) for one in q) for q in zip(*[(f.rank_q, f.q) for f in found], strict=True)
    )
    assert stats.binomtest(by_rank, 100).proportion_ci(0.99).low <= 0.05
    assert by_law > 50


def test_ranks_call_a_topic_that_lies_outside_the_null() -> None:
    scores = _scores(0, 0.3)
    scores[TOPICS[BINS] == 3] += 6
    found = null_z(scores, _scores(1, 0.3), BINS, T * F)
    called = found.rank_q <= 0.05
    assert called[TOPICS == 3].all()
    assert called[TOPICS != 3].sum() <= 8  # of some 56 calls q lets 5 % be false, give or take
    assert found.rank_p.min() == pytest.approx(1 / 577)


def test_a_rank_is_the_share_of_the_null_that_is_as_far_out() -> None:
    own, null = standardise_map(_scores(0, 0.5), BINS, T * F), standardise_map(_scores(1, 0.5), BINS, T * F)
    found, mirror = judge(own, null), judge(null, null)
    for bin_ in (0, 100, 575):
        further = np.abs(mirror.z[:, 1]) >= abs(found.z[bin_, 1])
        assert found.rank_p[bin_, 1] == pytest.approx((1 + further.sum()) / 577)


def test_a_group_is_judged_by_the_others() -> None:
    own = standardise_map(_scores(0, 0.5), BINS, T * F)
    apart = judge(own, own, TOPICS)
    mine = TOPICS == 7
    without = judge(own, replace(own, values=np.where(mine[:, None], np.nan, own.values)))
    np.testing.assert_allclose(apart.z[mine], without.z[mine])
    np.testing.assert_allclose(apart.rank_p[mine], without.rank_p[mine])


@pytest.mark.parametrize("known", [2, 3, 6])
def test_what_few_bins_of_a_null_tell_has_as_few_degrees_of_freedom(known: int) -> None:
    # Documents so many that only the bins of the null leave doubt: Student's t with one less than there are.
    rng = np.random.default_rng(known)
    tiny, many = np.full((known, 1), 1e-12), np.full(known, 10**6)
    null, own = (StandardisedMap(rng.normal(size=(known, 1)), tiny, many, tiny) for _ in range(2))
    found = judge(own, null)
    np.testing.assert_allclose(found.between[:, 0], null.values.var(ddof=1), rtol=1e-6)
    np.testing.assert_allclose(found.p, 2 * stats.t.sf(np.abs(found.z), known - 1), rtol=1e-6)


def test_few_documents_that_agree_by_chance_are_not_called() -> None:
    """Bins of three normal documents, nothing between them: 40 pairs of maps, at most two with a call."""
    bins = np.repeat(np.arange(T * F), 3)
    rng = np.random.default_rng(0)
    maps = [null_z(*(rng.normal(size=(len(bins), 2)) for _ in range(2)), bins, T * F) for _ in range(40)]
    assert sum((found.q <= 0.05).any() for found in maps) <= 4
    assert np.mean([(found.p <= 0.05).mean() for found in maps]) < 0.06


def test_with_two_bins_and_no_other_spread_than_their_own_it_is_welchs_t(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nulls, "PRIOR_DF", 0.0)
    scores = np.random.default_rng(0).normal(size=(11, 1))
    z, _ = judge_by_documents(standardise_map(scores, np.repeat([0, 1], [4, 7]), 2))
    known = stats.ttest_ind(scores[:4, 0], scores[4:, 0], equal_var=False).statistic
    np.testing.assert_allclose(z[:, 0], [known, -known])


def test_by_documents_alone_it_is_the_judgement_of_a_null_without_structure() -> None:
    own = standardise_map(_scores(0), BINS, T * F)
    flat = replace(own, values=0 * own.values)
    z, p = judge_by_documents(own)
    np.testing.assert_allclose(judge(own, flat).z, z)
    np.testing.assert_allclose(judge(own, flat).p, p)


def _topics(scores: np.ndarray) -> StandardisedMap:
    return standardise_map(scores, BINS, T * F).over_labels(TOPICS, T)


def test_a_topic_is_the_mean_of_its_bins_and_knows_its_own_noise() -> None:
    """Over worlds without structure, the variance of a topic is the one that is stated, of its centring too."""
    maps = [_topics(np.random.default_rng(seed).normal(size=(len(BINS), 1))) for seed in range(200)]
    bins = standardise_map(np.random.default_rng(0).normal(size=(len(BINS), 1)), BINS, T * F)
    np.testing.assert_allclose(maps[0].values[:, 0], bins.values.reshape(T, F).mean(axis=1))
    stated = np.mean([own.variances.mean() for own in maps])
    assert stated == pytest.approx((1 / F - 1 / (T * F)) / N, rel=0.02)
    assert np.mean([np.mean(own.values**2) for own in maps]) == pytest.approx(stated, rel=0.1)  # 4,800 squares
    np.testing.assert_allclose(maps[0].counts, F * N)


def test_every_bin_as_a_topic_of_its_own_changes_nothing() -> None:
    own = standardise_map(_scores(0, 0.5), BINS, T * F)
    same = own.over_labels(np.arange(T * F), T * F)
    for name in ("values", "variances", "counts", "sampling"):
        np.testing.assert_allclose(getattr(same, name), getattr(own, name), rtol=1e-9)


def test_topics_without_structure_are_called_at_the_nominal_rate_and_structure_of_a_null_is_taken_off() -> None:
    """48 topics in each of 40 pairs of maps: at 0.05 the share lies within four errors of 0.005."""
    for structure in (0.0, 1.0):
        p = [judge(*(_topics(_of_topics(seed + place, structure)) for place in (0, 1000))).p for seed in range(40)]
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.02)


def _of_topics(seed: int, structure: float) -> np.ndarray:
    """Return documents x 2; topics differ by ``structure`` standard deviations of a document."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(BINS), 2)) + structure * rng.normal(size=(T, 2))[TOPICS[BINS]]


def test_a_topic_without_documents_has_no_value_and_no_part_in_others() -> None:
    keep = TOPICS[BINS] != 5
    some = standardise_map(_scores(0)[keep], BINS[keep], T * F).over_labels(TOPICS, T)
    assert np.isnan(some.values[5]).all()
    np.testing.assert_allclose(np.delete(some.values, 5, axis=0).sum(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(("shift", "scale"), [(3.0, 1.0), (-1.0, 1e-6), (0.0, 1e4)])
def test_units_and_levels_of_either_map_do_not_matter(shift: float, scale: float) -> None:
    scores, null = _scores(0, 0.5), _scores(1, 0.5)
    plain = null_z(scores, null, BINS, T * F)
    for found in (
        null_z(scale * (scores + shift), null, BINS, T * F),
        null_z(scores, scale * (null + shift), BINS, T * F),
    ):
        np.testing.assert_allclose(found.z, plain.z, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(found.p, plain.p, rtol=1e-5)


def test_permuting_documents_changes_nothing_and_bins_permute_the_result() -> None:
    scores, null, rng = _scores(0, 0.5), _scores(1, 0.5), np.random.default_rng(2)
    plain, order, names = null_z(scores, null, BINS, T * F), rng.permutation(len(BINS)), rng.permutation(T * F)
    np.testing.assert_allclose(null_z(scores[order], null[order], BINS[order], T * F).z, plain.z, rtol=1e-6)
    np.testing.assert_allclose(null_z(scores, null, names[BINS], T * F).z[names], plain.z, rtol=1e-6)


def test_a_constant_score_is_no_discovery() -> None:
    constant = np.full((len(BINS), 2), 0.1)
    for scores, null in ((constant, _scores(0, 0.5)), (constant, constant)):
        found = null_z(scores, null, BINS, T * F)
        np.testing.assert_array_equal(found.z, 0)
        np.testing.assert_array_equal(found.p, 1)
        np.testing.assert_array_equal(found.rank_p, 1)
        np.testing.assert_array_equal(found.rank_q, 1)


def test_bins_of_fewer_than_two_documents_have_no_verdict() -> None:
    keep = (BINS > 1) | ((BINS == 1) & (np.arange(len(BINS)) == N))
    found = null_z(_scores(0)[keep], _scores(1)[keep], BINS[keep], T * F)
    for array in (found.z, found.p, found.q, found.rank_p, found.rank_q):
        assert np.isnan(array[:2]).all()
        assert np.isfinite(array[2:]).all()


def test_what_does_not_belong_together_is_refused() -> None:
    scores = _scores(0)
    with pytest.raises(AttributionError, match=r"\(4608, 1\) and scores of \(4608, 2\)"):
        null_z(scores, scores[:, :1], BINS, T * F)
    with pytest.raises(AttributionError, match=r"scores\[0, 0\] is nan"):
        null_z(scores, scores * np.nan, BINS, T * F)


def _answers(seed: int, wrong: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return items and two nulls that differ by noise alone and share a map of topics, each in a unit of its own."""
    rng = np.random.default_rng(seed)
    shared = wrong * rng.normal(size=(T, 2))[TOPICS[BINS]] + rng.normal(size=(len(BINS), 2))
    items, first, second = (
        shared + 0.3 * rng.normal(size=(T, 2))[TOPICS[BINS]] + 0.5 * rng.normal(size=(len(BINS), 2)) for _ in range(3)
    )
    return items, 3 * first, 0.1 * second


def _judge_answers(items: np.ndarray, null: np.ndarray, peer: np.ndarray) -> nulls.Judged:
    return judge(*(of_topics(difference_map(each, null, BINS, T * F)) for each in (items, peer)))


def test_items_that_know_nothing_are_called_at_the_nominal_rate_by_the_difference_of_two_nulls() -> None:
    found = [_judge_answers(*_answers(seed)) for seed in range(40)]
    assert np.mean([(one.p <= 0.05).mean() for one in found]) == pytest.approx(0.05, abs=0.025)
    assert np.mean([(one.q <= 0.05).mean() for one in found]) <= 0.01


def test_what_answers_raise_is_found_under_structure_that_items_and_nulls_share() -> None:
    """Shared topics spread ten times as far as the effect: judged by the null itself, nothing is found."""
    items, null, peer = _answers(0, wrong=20.0)
    items = items + 3 * (TOPICS[BINS] == 5)[:, None]
    changed = _judge_answers(items, null, peer)
    assert (changed.q[5] <= 0.05).all()
    assert (changed.z[5] > 0).all()
    assert (changed.q <= 0.05).sum() <= 3
    plain = judge(*(of_topics(standardise_map(each, BINS, T * F)) for each in (items, null)))
    assert not (plain.q <= 0.05).any()


def test_neither_unit_nor_level_of_items_and_nulls_matters_to_their_difference() -> None:
    items, null, peer = _answers(1)
    plain, other = _judge_answers(items, null, peer), _judge_answers(7 * items - 2, null + 5, 0.2 * peer)
    np.testing.assert_allclose(other.z, plain.z, rtol=1e-6)


def test_two_kinds_of_wrong_answers_judge_each_other_and_no_other_null() -> None:
    assert [peer_of(name, PEERS) for name in PEERS] == list(reversed(PEERS))
    assert peer_of(PEERS[0], PEERS[:1]) is None
    assert peer_of("random_weights", [*PEERS, "random_weights"]) is None


def test_a_difference_of_other_documents_is_refused() -> None:
    with pytest.raises(AttributionError, match="documents x columns"):
        difference_map(_scores(0), _scores(0)[:-1], BINS, T * F)
