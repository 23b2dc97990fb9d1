"""p-values of bins, and q-values over all bins of all benchmarks.

Benjamini & Hochberg's q bounds the expected share of false discoveries among the bins that are called. The
probability of a single false discovery is bounded in :mod:`social_provenance.estimation.significance.permutation`.
"""

from __future__ import annotations

import numpy as np

from social_provenance.errors import AttributionError


def q_values(p: np.ndarray) -> np.ndarray:
    """Return Benjamini & Hochberg's (1995) q over all values of an array; NaN stays NaN.

    Args:
        p: p-values of one family, any shape, such as bins x columns.

    Raises:
        AttributionError: If a p is outside 0 to 1.
    """
    from scipy.stats import false_discovery_control

    known = ~np.isnan(p)
    wrong = known & ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise AttributionError(f"p is {p[wrong].flat[0]}: give probabilities, 0 to 1")
    q = np.full(p.shape, np.nan)
    if known.any():
        q[known] = false_discovery_control(p[known], method="bh")
    return q


def two_sided_p(estimates: np.ndarray, errors: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """Return the two-sided p of estimates against 0, by Student's t.

    The standard deviation of bootstrap replicates is itself an estimate, from as many clusters as
    there are. Taking it as known (a normal distribution) calls a null bin of three documents at 5 % about
    19 % of the time; t with clusters - 1 degrees of freedom, or Satterthwaite's for several sources, takes
    that into account, and approaches the normal distribution with many clusters.

    Args:
        estimates: Any shape.
        errors: Standard errors in the same unit, such as the standard deviation over replicates.
        df: Degrees of freedom, one or one for each; infinite for a normal distribution.

    Returns:
        p, same shape; NaN where an estimate or its error is unknown, where fewer than one degree of freedom
        is left, and where a deviation other than 0 has an error of 0. A deviation of 0 with an error of 0 has
        p = 1.

    Raises:
        AttributionError: If an error is negative.
    """
    from scipy.special import stdtr

    if (errors < 0).any():
        raise AttributionError(f"a standard error is {errors[errors < 0].flat[0]}: give numbers of at least 0")
    df = np.broadcast_to(df, estimates.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(np.where(df >= 1, df, np.nan), -np.abs(estimates) / errors)
    constant = (estimates == 0) & (errors == 0) & (df >= 1)
    return np.where(constant, 1.0, np.where(errors > 0, p, np.nan))
