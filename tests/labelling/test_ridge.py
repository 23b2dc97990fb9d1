"""Ridge regression in the dual is that in the primal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import random_array

from social_provenance.labelling import ridge
from social_provenance.labelling.ridge import INTERCEPT, similarities, solve

if TYPE_CHECKING:
    import pytest


def test_similarities_are_products_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = random_array((30, 200), density=0.1, dtype=np.float32, format="csr", rng=np.random.default_rng(0))
    expected = (rows @ rows.T).toarray()
    monkeypatch.setattr(ridge, "DENSE_COLUMNS", 7)
    for common in (-1.0, 0.1, 1.0):  # all columns dense, some, none
        monkeypatch.setattr(ridge, "COMMON", common)
        np.testing.assert_allclose(similarities(rows), expected, rtol=1e-4, atol=1e-5)


def test_the_dual_gives_the_weights_of_the_normal_equations() -> None:
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    wide = np.hstack([rows, np.full((20, 1), INTERCEPT**0.5)])
    primal = np.linalg.solve(wide.T @ wide + 0.3 * np.eye(7), wide.T @ targets)
    dual = solve((rows @ rows.T).astype(np.float32), targets, 0.3)
    np.testing.assert_allclose(rows.T @ dual, primal[:-1], atol=1e-4)
    np.testing.assert_allclose(INTERCEPT * dual.sum(axis=0), primal[-1] * INTERCEPT**0.5, atol=1e-4)


def test_what_it_is_given_stays_as_it_is() -> None:
    products = np.eye(4, dtype=np.float32)
    solve(products, np.ones((4, 1)), 1.0)
    assert (products == np.eye(4)).all()
