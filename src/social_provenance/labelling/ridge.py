"""Ridge regression on sparse rows in the space of documents, of which there are fewer than columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

INTERCEPT = 0.02
"""Similarity of any two documents that stands for the intercept, where a document with itself has 1."""

COMMON = 0.05
"""Columns that a larger share of documents has are multiplied as dense ones: few columns, most of the work."""

DENSE_COLUMNS = 1024
"""Of those, at a time."""


def similarities(rows: csr_array) -> np.ndarray:
    """Return the products of all pairs of rows, documents x documents, float32."""
    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > COMMON * rows.shape[0]
    rare = rows[:, np.flatnonzero(~frequent)]
    products: np.ndarray = (rare @ rare.T.tocsr()).toarray().astype(np.float32)
    dense = rows[:, np.flatnonzero(frequent)].tocsc()
    for start in range(0, dense.shape[1], DENSE_COLUMNS):
        block = dense[:, start : start + DENSE_COLUMNS].toarray()
        products += block @ block.T
    return products


def solve(
    products: np.ndarray, targets: np.ndarray, penalty: float, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return dual weights a of (K + INTERCEPT + penalty I) a = y, and each document's prediction without its group.

    A document x is predicted as the sum over training documents m of a_m (x . m + INTERCEPT). What the fit
    without a group g predicts for it needs no fit: y_g - (A^-1)_gg^-1 a_g, with A the matrix above
    (leave-one-out by blocks; Golub, Heath and Wahba 1979 for single rows).

    Args:
        products: K of the training documents; is overwritten.
        targets: Documents x targets.
        penalty: Added to the diagonal.
        groups: Group of each document: whole numbers from 0.

    Returns:
        Two arrays, documents x targets.
    """
    from scipy.linalg import cho_factor, cho_solve

    products += np.float32(INTERCEPT)
    products[np.diag_indices(len(products))] += np.float32(penalty)
    factor = cho_factor(products, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(products), dtype=np.float32), overwrite_b=True, check_finite=False)
    dual = inverse @ targets.astype(np.float32)
    held = targets - dual / np.diag(inverse)[:, None]
    for group in np.flatnonzero(np.bincount(groups) > 1):
        own = np.flatnonzero(groups == group)
        held[own] = targets[own] - np.linalg.solve(inverse[np.ix_(own, own)], dual[own])
    return dual, held
