"""Ridge regression on sparse rows in the space of documents, of which there are fewer than columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array

INTERCEPT = 0.02
"""Similarity of any two documents that stands for the intercept, where a document with itself has 1."""

COMMON = 0.05
"""Columns that a larger share of documents has are multiplied as dense ones: few columns, most of the work."""

DENSE_COLUMNS = 1024
"""Of those, at a time."""


def similarities(rows: csr_array) -> np.ndarray:
    """Return the products of all pairs of rows, documents x documents, float32."""
    import numpy as np

    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > COMMON * rows.shape[0]
    rare = rows[:, np.flatnonzero(~frequent)]
    products: np.ndarray = (rare @ rare.T.tocsr()).toarray().astype(np.float32)
    dense = rows[:, np.flatnonzero(frequent)].tocsc()
    for start in range(0, dense.shape[1], DENSE_COLUMNS):
        block = dense[:, start : start + DENSE_COLUMNS].toarray()
        products += block @ block.T
    return products


def solve(products: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Return the dual weights a of (K + INTERCEPT + penalty I) a = y.

    A document x scores sum over training documents m of a_m (x . m + INTERCEPT).

    Args:
        products: K of the training documents.
        targets: Documents x targets.
        penalty: Added to the diagonal.
    """
    import numpy as np
    from scipy.linalg import solve as solve_dense

    system = products + np.float32(INTERCEPT)
    system[np.diag_indices(len(system))] += np.float32(penalty)
    dual: np.ndarray = solve_dense(system, targets.astype(np.float32), assume_a="pos", overwrite_a=True)
    return dual
