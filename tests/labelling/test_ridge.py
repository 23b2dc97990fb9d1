"""Ridge regression in the dual is that in the primal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import random_array
from threadpoolctl import threadpool_limits

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


def fit(rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return primal weights by the normal equations; the last one is of the intercept's column."""
    wide = np.hstack([rows, np.full((len(rows), 1), INTERCEPT**0.5)])
    weights: np.ndarray = np.linalg.solve(wide.T @ wide + 0.3 * np.eye(wide.shape[1]), wide.T @ targets)
    return weights


def test_the_dual_gives_the_weights_of_the_normal_equations() -> None:
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    dual, _ = solve((rows @ rows.T).astype(np.float32), targets, 0.3, np.arange(20))
    primal = fit(rows, targets)
    np.testing.assert_allclose(rows.T @ dual, primal[:-1], atol=1e-4)
    np.testing.assert_allclose(INTERCEPT * dual.sum(axis=0), primal[-1] * INTERCEPT**0.5, atol=1e-4)


def test_held_out_predictions_are_those_of_fits_without_the_group() -> None:
    rng = np.random.default_rng(2)
    rows, targets = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    groups = np.array([0] * 7 + [1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 8, 9, 10])
    _, held = solve((rows @ rows.T).astype(np.float32), targets, 0.3, groups)
    for group in range(11):
        own = groups == group
        primal = fit(rows[~own], targets[~own])
        expected = rows[own] @ primal[:-1] + primal[-1] * INTERCEPT**0.5
        np.testing.assert_allclose(held[own], expected, atol=1e-3)


def test_threads_change_no_digit() -> None:
    rows = random_array((900, 400), density=0.3, dtype=np.float32, format="csr", rng=np.random.default_rng(0))
    targets = np.random.default_rng(1).random((900, 24))
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            dual, held = solve(similarities(rows), targets, 1.0, np.arange(900) // 3)
        found.append((dual.tobytes(), held.tobytes()))
    assert found[0] == found[1]
