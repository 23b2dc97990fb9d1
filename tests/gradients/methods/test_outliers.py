"""Outliers: which gradients count as such, and what is left of their length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.gradients.methods.outliers import Winsoriser, fit_winsoriser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]

NORMS = (3.0, 1.0, 0.5, 2.0, 20.0, 1.5, 2.0, 2.5, 20.5, 100.0, 0.0)
"""Of median 2: only two are longer than 20."""


@pytest.fixture
def long(make_store: Maker) -> GradientStore:
    """Return gradients of exactly these norms."""
    return make_store(gradients=_of_norms(NORMS), shards=2)


def _of_norms(norms: Sequence[float]) -> np.ndarray:
    gradients = np.zeros((len(norms), 13))
    gradients[np.arange(len(norms)), np.arange(len(norms)) % 13] = norms
    return gradients


def _left(store: GradientStore, winsoriser: Winsoriser, rows: int = 4) -> np.ndarray:
    return np.concatenate([winsoriser.apply(piece).numpy() for piece in store.chunks(rows)])


@pytest.mark.parametrize("winsorise", [None, 1.0, 10.0, 1000.0])
def test_rows_longer_than_ten_median_norms_are_counted_whatever_is_done_about_them(
    long: GradientStore, winsorise: float | None
) -> None:
    found = fit_winsoriser(long, winsorise)
    assert (found.median, found.outliers) == (2.0, 2)


@pytest.mark.parametrize(("winsorise", "limit"), [(10.0, 20.0), (1.0, 2.0), (0.25, 0.5)])
def test_a_longer_gradient_gets_the_length_of_the_limit_and_keeps_its_direction(
    long: GradientStore, winsorise: float, limit: float
) -> None:
    winsoriser = fit_winsoriser(long, winsorise)
    expected = np.minimum(NORMS, limit)
    np.testing.assert_allclose(winsoriser.factors(np.array(NORMS)) * NORMS, expected, rtol=1e-12)
    np.testing.assert_allclose(_left(long, winsoriser), _of_norms(expected), rtol=1e-6)


def test_the_median_is_that_of_the_whole_store(make_store: Maker) -> None:
    gradients = _of_norms([1, 1, 1, 50, 50, 50, 50])
    assert fit_winsoriser(make_store(gradients=gradients, shards=2), 10.0) == fit_winsoriser(
        make_store(gradients=gradients), 10.0
    )


def test_without_a_limit_gradients_are_only_counted(long: GradientStore) -> None:
    winsoriser = fit_winsoriser(long, None)
    assert (winsoriser.factors(np.array(NORMS)) == 1).all()
    assert (_left(long, winsoriser) == _of_norms(NORMS)).all()


def test_a_store_without_outliers_is_left_as_it_is(make_store: Maker) -> None:
    store = make_store()
    winsoriser = fit_winsoriser(store, 10.0)
    assert winsoriser.outliers == 0
    for piece in store.chunks(7):
        assert np.shares_memory(winsoriser.apply(piece).numpy(), piece.gradients)


def test_shortening_changes_no_piece_of_the_store(long: GradientStore) -> None:
    (piece, *_) = long.chunks(100)
    before = piece.gradients.copy()
    fit_winsoriser(long, 1.0).apply(piece)
    assert (piece.gradients == before).all()


def test_where_most_gradients_are_zero_nothing_is_shortened(make_store: Maker) -> None:
    store: Any = make_store(gradients=_of_norms([0, 0, 0, 7, 1]))
    winsoriser = fit_winsoriser(store, 10.0)
    assert winsoriser.limit is None
    assert (_left(store, winsoriser) == _of_norms([0, 0, 0, 7, 1])).all()
