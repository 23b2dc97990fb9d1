"""Ridge regression on sparse rows in the dual, because there are fewer documents than columns.

Dense products take one thread: others add in another order, and the last digits would depend on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from scipy.sparse import csr_array

INTERCEPT = 0.02
"""Constant added to similarities as the intercept, on the scale where a document's own similarity is 1."""

COMMON = 0.05
"""Share of documents above which a column is multiplied as dense: few columns are most of the work."""

DENSE_COLUMNS = 1024
"""Dense columns multiplied at a time."""


def similarities(rows: csr_array) -> np.ndarray:
    """Return the dot products of all pairs of rows: float32, shape (documents, documents)."""
    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > COMMON * rows.shape[0]
    rare = rows[:, np.flatnonzero(~frequent)]
    products: np.ndarray = (rare @ rare.T.tocsr()).toarray().astype(np.float32)
    dense = rows[:, np.flatnonzero(frequent)].tocsc()
    with threadpool_limits(limits=1):
        for start in range(0, dense.shape[1], DENSE_COLUMNS):
            block = dense[:, start : start + DENSE_COLUMNS].toarray()
            products += block @ block.T
    return products


def solve(
    products: np.ndarray, targets: np.ndarray, penalty: float, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve (K + INTERCEPT + penalty I) a = y for the dual weights a, with predictions without each group.

    The prediction for a document x is the sum over training documents m of a_m (x . m + INTERCEPT). The
    prediction for a group g by a fit without it needs no refit: y_g - (A^-1)_gg^-1 a_g, with A the matrix above
    (leave-one-out by blocks; Golub, Heath and Wahba 1979 for single rows).

    Args:
        products: K, the dot products of the training documents; overwritten.
        targets: Shape (documents, targets).
        penalty: Value added to the diagonal.
        groups: Group of each document, integers from 0.

    Returns:
        Dual weights and held-out predictions, both of shape (documents, targets).
    """
    from scipy.linalg import cho_factor, cho_solve

    products += np.float32(INTERCEPT)
    products[np.diag_indices(len(products))] += np.float32(penalty)
    # After the import: scipy's BLAS is not numpy's, and is limited only once it is loaded.
    with threadpool_limits(limits=1):
        # All is overwritten in place: with n documents each matrix takes 4 n^2 bytes, which limits ``max_train``.
        factor = cho_factor(products, overwrite_a=True, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(products), dtype=np.float32), overwrite_b=True, check_finite=False)
        dual = inverse @ targets.astype(np.float32)
        # A group of one document has a closed form per row; only larger groups need to solve a block.
        held = targets - dual / np.diag(inverse)[:, None]
        for group in np.flatnonzero(np.bincount(groups) > 1):
            own = np.flatnonzero(groups == group)
            held[own] = targets[own] - np.linalg.solve(inverse[np.ix_(own, own)], dual[own])
    return dual, held
