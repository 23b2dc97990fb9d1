"""Laws of both axes multiply, and labels are drawn as often as the law says."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.label_noise import draw_labels, flip_law


def test_a_law_of_both_axes_is_their_product() -> None:
    law = flip_law(0.2, 0.1)
    np.testing.assert_allclose(law.sum(axis=1), 1)
    assert law[25, 25] == pytest.approx(0.8 * 0.9)
    assert law[25, 25 + 24] == pytest.approx(0.2 / 23 * 0.9)
    assert law[25, 25 + 1] == pytest.approx(0.8 * 0.1 / 23)


def test_labels_are_drawn_as_often_as_the_law_says() -> None:
    law = np.random.default_rng(0).dirichlet(np.ones(4), size=4)
    bins = np.repeat(np.arange(4), 20_000)
    drawn = draw_labels(np.cumsum(law, axis=1), bins, np.random.default_rng(1))
    found = np.stack([np.bincount(drawn[bins == bin_], minlength=4) / 20_000 for bin_ in range(4)])
    np.testing.assert_allclose(found, law, atol=0.015)  # four errors of 20,000 draws


def test_a_law_that_rounding_leaves_short_of_one_gives_the_last_label() -> None:
    steps = np.array([[0.0, 0.25, 0.25]])  # far short of it, to be sure that it happens
    drawn = draw_labels(np.repeat(steps, 3, axis=0), np.zeros(4000, dtype=int), np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 4000, [0, 0.25, 0.75], atol=0.03)


def test_what_is_no_law_is_refused() -> None:
    with pytest.raises(AttributionError, match=r"wrong labels of topic is 1\.2"):
        flip_law(1.2, 0.0)
    never = np.roll(np.eye(24), 1, axis=1)  # every label is another: zeros are shares too
    np.testing.assert_array_equal(flip_law(0.0, never)[0], np.kron(np.eye(24), never)[0])
    with pytest.raises(AttributionError, match="row 1 of format sums to 1 with a least value of -1"):
        flip_law(0.0, np.eye(24) + np.where(np.arange(24)[:, None] == 1, [[-1, 1] + [0] * 22], 0))
    with pytest.raises(AttributionError, match="row 0 of format sums to 2"):
        flip_law(0.0, 2 * np.eye(24))
    with pytest.raises(AttributionError, match=r"topic has the shape \(2, 2\)"):
        flip_law(np.eye(2), 0.0)
