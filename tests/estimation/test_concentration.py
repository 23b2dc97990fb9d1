"""The share of ten documents: exact by hand, blind to shift and scale, 1 where there are no more than ten."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.estimation.concentration import top_ten_share


def _share(scores: list[float] | np.ndarray, bins: list[int] | None = None, centre: float = 0.0) -> float:
    own = np.asarray(scores, dtype=float)[:, None]
    places = np.array(bins or [0] * len(own))
    counts = np.bincount(places, minlength=2)
    return float(top_ten_share(own, places, counts, np.array([centre]), np.array([0, 0]))[0, 0])


def test_equal_documents_carry_equal_parts() -> None:
    assert _share([1.0, -1.0] * 20) == pytest.approx(10 / 40)


def test_the_ten_largest_pulls_of_either_sign_are_counted() -> None:
    scores = np.random.default_rng(1).normal(size=200) ** 3
    pulls = np.sort(np.abs(scores))
    assert _share(scores) == pytest.approx(pulls[-10:].sum() / pulls.sum())


def test_one_document_carries_all_where_the_others_stand_at_the_centre() -> None:
    assert _share([5.0] * 99 + [700.0], centre=5.0) == 1


def test_ten_documents_or_fewer_carry_all() -> None:
    assert _share(np.arange(1.0, 11.0)) == 1
    assert _share([3.0]) == 1


def test_a_document_of_a_small_bin_pulls_more() -> None:
    # Ten documents of a bin of ten pull 1/10 each, thirty of a bin of thirty 1/30.
    assert _share([1.0] * 40, [0] * 10 + [1] * 30) == pytest.approx(0.5)


def test_shift_and_scale_do_not_matter() -> None:
    scores = np.random.default_rng(0).normal(size=50)
    assert _share(7 * scores - 3, centre=-3.0) == pytest.approx(_share(scores))


def test_nothing_is_carried_where_nothing_differs_and_where_nothing_is() -> None:
    assert np.isnan(_share([2.0] * 20, centre=2.0))
    found = top_ten_share(np.ones((3, 1)), np.array([0, 0, 0]), np.array([3, 0]), np.zeros(1), np.array([0, 1]))
    assert found[0, 0] == 1
    assert np.isnan(found[1, 0])
