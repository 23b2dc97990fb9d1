"""A null that is judged by a null is called at the nominal rate; judged by its documents alone it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.calibration import calibrate, count_called
from social_provenance.estimation.significance.nulls import null_z

T, F, N = 24, 24, 8
BINS = np.repeat(np.arange(T * F), N)
TOPICS = np.repeat(np.arange(T), F)
COLUMNS = [("quiz", "trackstar"), ("arc", "trackstar")]


def _scores(seed: int, structure: float = 0.0) -> np.ndarray:
    """Return documents x 2; bins differ by ``structure`` standard deviations of a document."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(BINS), 2)) + structure * rng.normal(size=(T * F, 2))[BINS]


def test_calibration_is_nominal_by_nulls_and_shows_that_documents_alone_call_structure() -> None:
    table = calibrate({"flat": _scores(0), "one": _scores(1, 1.0), "two": _scores(2, 1.0)}, COLUMNS, BINS)
    assert len(table) == 2 * 3 * (2 + 3 * 4) * len(COLUMNS)
    assert table.groupby("axis")["n"].agg(set).to_dict() == {"bin": {T * F}, "topic": {T}}
    assert ((table["ci_low"] <= table["share"]) & (table["share"] <= table["ci_high"])).all()
    table = table[table["axis"] == "bin"]
    share = table.groupby(["variant", "judge", "measure"])["share"].mean()
    alike = [("flat", "documents"), ("flat", "flat"), ("one", "one"), ("one", "two"), ("two", "one")]
    for variant, judge in alike:
        assert share[variant, judge, "p"] == pytest.approx(0.05, abs=0.025)  # 1,152 bins: four errors of .0064
        assert share[variant, judge, "q"] <= 0.01
    assert share["one", "two", "rank_p"] == pytest.approx(0.05, abs=0.025)
    assert share["one", "documents", "p"] > 0.4
    assert share["one", "documents", "q"] > 0.2
    assert share["one", "flat", "q"] > 0.2  # a null without structure says nothing of one that has it


def test_a_topic_has_no_part_in_its_own_measure() -> None:
    """One topic whose bins all lie far out would hide itself in a spread that it makes."""
    scores = _scores(0, 0.2)
    far = TOPICS[BINS] == 3
    scores[far] += np.random.default_rng(1).choice([-3, 3], size=F)[BINS[far] % F][:, None]
    table = calibrate({"one": scores}, COLUMNS, BINS)
    share = table[table["axis"] == "bin"].set_index(["judge", "measure"])["share"]
    own = null_z(scores, scores, BINS, T * F)
    assert (share["one", "q"] >= 0.9 / T).all()
    assert (own.q <= 0.05).mean() < share["one", "q"].mean()


def test_topics_of_a_null_are_called_at_the_nominal_rate_by_nulls_and_not_by_documents() -> None:
    """Twenty pairs of maps whose topics differ: 960 topics for each judge."""
    tables = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        maps = {
            name: rng.normal(size=(len(BINS), 2)) + rng.normal(size=(T, 2))[TOPICS[BINS]] for name in ("one", "two")
        }
        tables.append(calibrate(maps, COLUMNS, BINS).query("axis == 'topic'"))
    share = pd.concat(tables).groupby(["variant", "judge", "measure"])["share"].mean()
    assert share["one", "two", "p"] == pytest.approx(0.05, abs=0.03)
    assert share["one", "one", "p"] == pytest.approx(0.05, abs=0.03)
    assert share["one", "two", "q"] <= 0.05
    assert share["one", "documents", "q"] > 0.4


def test_the_interval_is_that_of_scipy() -> None:
    found = count_called(np.array([0.01, 0.05, 0.2, 0.5, np.nan]))
    known = stats.binomtest(2, 4).proportion_ci(method="exact")
    assert (found["n"], found["called"], found["share"]) == (4, 2, 0.5)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((known.low, known.high))
    assert np.isnan(count_called(np.array([np.nan]))["share"])


def test_a_constant_null_is_never_called() -> None:
    table = calibrate({"one": np.full((len(BINS), 2), 0.1)}, COLUMNS, BINS)
    assert (table["called"] == 0).all()


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(AttributionError, match=r"null 'one' is of documents x columns \(4608, 2\)"):
        calibrate({"one": _scores(0)}, COLUMNS[:1], BINS)
    with pytest.raises(AttributionError, match=r"scores\[0, 0\] is nan"):
        calibrate({"one": _scores(0) * np.nan}, COLUMNS, BINS)
