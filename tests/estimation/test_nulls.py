"""A null that is judged by itself is called at its nominal rate, and units do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from social_provenance.errors import AttributionError
from social_provenance.estimation.nulls import calibrate, called, null_z

T, F, N = 24, 24, 8
BINS = np.repeat(np.arange(T * F), N)
TOPICS = np.repeat(np.arange(T), F)
COLUMNS = [("quiz", "trackstar"), ("arc", "trackstar")]


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
    """40 pairs of maps of the same law: 46,080 bins, a rate of .05 is known to +- .003 (99 %)."""
    found = [null_z(_scores(seed, structure), _scores(1000 + seed, structure), BINS, T * F) for seed in range(40)]
    rates = np.array([(one.p <= 0.05).mean() for one in found])
    assert rates.mean() == pytest.approx(0.05, abs=0.006)
    assert np.mean([(one.q <= 0.05).mean() for one in found]) < 0.001
    z = np.concatenate([one.z.ravel() for one in found])
    assert np.median(np.abs(z)) == pytest.approx(0.6745, abs=0.06)


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


def test_bins_of_fewer_than_two_documents_have_no_verdict() -> None:
    keep = (BINS > 1) | ((BINS == 1) & (np.arange(len(BINS)) == N))
    found = null_z(_scores(0)[keep], _scores(1)[keep], BINS[keep], T * F)
    for array in (found.z, found.p, found.q):
        assert np.isnan(array[:2]).all()
        assert np.isfinite(array[2:]).all()


def test_calibration_is_nominal_for_the_null_and_shows_that_documents_alone_call_structure() -> None:
    table = calibrate({"flat": _scores(0), "structured": _scores(1, 1.0)}, COLUMNS, BINS, TOPICS, T * F)
    assert len(table) == 2 * 2 * 2 * 2
    assert (table["n_bins"] == T * F).all()
    assert ((table["ci_low"] <= table["share"]) & (table["share"] <= table["ci_high"])).all()
    share = table.groupby(["variant", "test", "measure"])["share"].mean()
    for variant, test in (("flat", "documents"), ("flat", "null"), ("structured", "null")):
        assert share[variant, test, "p"] == pytest.approx(0.05, abs=0.02)  # 1,152 bins: three errors of .0064
        assert share[variant, test, "q"] <= 0.01
    assert share["structured", "documents", "p"] > 0.4
    assert share["structured", "documents", "q"] > 0.2


def test_a_topic_has_no_part_in_its_own_measure() -> None:
    """One topic whose bins all lie far out would hide itself in a spread that it makes."""
    scores = _scores(0, 0.2)
    scores[TOPICS[BINS] == 3] += np.random.default_rng(1).choice([-3, 3], size=F)[BINS[TOPICS[BINS] == 3] % F][:, None]
    share = calibrate({"one": scores}, COLUMNS, BINS, TOPICS, T * F).set_index(["test", "measure"])["share"]
    own = null_z(scores, scores, BINS, T * F)
    assert (share["null", "q"] >= 0.9 / T).all()
    assert (own.q <= 0.05).mean() < share["null", "q"].mean()


def test_the_interval_is_that_of_scipy() -> None:
    found = called(np.array([0.01, 0.05, 0.2, 0.5, np.nan]))
    known = stats.binomtest(2, 4).proportion_ci(method="exact")
    assert (found["n_bins"], found["called"], found["share"]) == (4, 2, 0.5)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((known.low, known.high))
    assert np.isnan(called(np.array([np.nan]))["share"])


def test_what_does_not_belong_together_is_refused() -> None:
    scores = _scores(0)
    with pytest.raises(AttributionError, match=r"\(4608, 1\) and scores of \(4608, 2\)"):
        null_z(scores, scores[:, :1], BINS, T * F)
    with pytest.raises(AttributionError, match=r"scores\[0, 0\] is nan"):
        null_z(scores, scores * np.nan, BINS, T * F)
    with pytest.raises(AttributionError, match="null 'one' has the shape"):
        calibrate({"one": scores}, COLUMNS[:1], BINS, TOPICS, T * F)
