"""Bin means drawn towards what is known of all bins, the more the less is known of the bin.

The model is normal-normal: a bin's mean y has the known variance v about the bin's true value, and
true values have the variance tau2 about a target. Then

    shrunk = target + factor (y - target),   factor = tau2 / (tau2 + v)

(Efron & Morris 1973). Three estimators of ``tau2``:

- ``unweighted``: the residual sum of squares less what the errors put into it (Hedges & Olkin 1985).
  It holds where variances are themselves estimates, as those of bins of few documents are.
- ``paule_mandel``: the tau2 at which the sum weighted by 1 / (tau2 + v) equals its degrees of freedom
  (Paule & Mandel 1982; for a fitted target Viechtbauer 2007). The best where variances are known; where
  they come from few documents, bins that seem sure by chance weigh too much and tau2 is too large
  (bins of 8 documents with tau2 = v / 3: by about .2 v).
- ``moments``: one step from the weights 1 / v (DerSimonian & Laird 1986), with the same weakness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.significance.decomposition import indicators

Target = Literal["mean", "additive"]
Estimator = Literal["unweighted", "paule_mandel", "moments"]


@dataclass(frozen=True)
class Shrunk:
    """Shrunk bins; NaN where a bin has no value.

    Attributes:
        values: Topics x formats x columns, in the means' unit.
        errors: The same: posterior standard deviations, sqrt(tau2 (1 - factor)). They take target and
            tau2 for known, and so are somewhat too small.
        factors: The same, 0 (the target) to 1 (the bin's own mean).
        targets: The same: what each bin is drawn to.
        between: Columns: tau2, in the unit squared.
    """

    values: np.ndarray
    errors: np.ndarray
    factors: np.ndarray
    targets: np.ndarray
    between: np.ndarray


def shrink(
    means: np.ndarray, variances: np.ndarray, target: Target = "mean", estimator: Estimator = "unweighted"
) -> Shrunk:
    """Shrink the bins of each column by their precision.

    Args:
        means: Topics x formats x columns; NaN where a bin has no documents.
        variances: The same: squared standard errors. NaN or infinity where nothing is known, as for a
            bin of one document: such a bin weighs nothing and becomes its target.
        target: ``mean``: the precision-weighted mean of the bins. ``additive``: the weighted fit of
            topic + format, so that a bin is judged by its topic and format. It needs more bins than
            there are topics and formats, and a topic or format of unknown bins alone has no target.
        estimator: Of the variance between bins.

    Raises:
        AttributionError: If shapes differ, a variance is negative, or a column has no bin of known
            variance.
    """
    if means.ndim != 3 or means.shape != variances.shape:
        raise AttributionError(
            f"means have the shape {means.shape} and variances {variances.shape}: give both as topics x formats x "
            f"columns"
        )
    if (variances < 0).any():
        place = tuple(np.argwhere(variances < 0)[0].tolist())
        raise AttributionError(f"variances[{place}] is {variances[place]}: give squared standard errors, at least 0")
    parts = [
        _shrink_one(means[..., column], variances[..., column], target, estimator) for column in range(means.shape[2])
    ]
    values, errors, factors, targets = (np.stack([part[n] for part in parts], axis=-1) for n in range(4))
    return Shrunk(values, errors, factors, targets, np.array([part[4] for part in parts]))


def between_variance(
    values: np.ndarray, variances: np.ndarray, design: np.ndarray, estimator: Estimator = "unweighted"
) -> float:
    """Return the variance of true values about a fitted target, at least 0.

    Args:
        values: Estimates, in any unit.
        variances: Their squared standard errors, finite.
        design: Estimates x coefficients of the target; a column of ones for a common mean.
        estimator: As the module says; ``moments`` needs variances above zero.

    Raises:
        AttributionError: If ``moments`` meets a variance of zero.
    """
    from scipy.optimize import brentq

    freedom = len(values) - int(np.linalg.matrix_rank(design))
    scale = float(np.ptp(values)) ** 2
    if freedom < 1 or scale <= 1e-24 * float(np.max(values**2)):
        return 0.0
    y, v = values / np.sqrt(scale), variances / scale
    if estimator == "moments":
        if (v <= 0).any():
            raise AttributionError("a variance is 0, which has no precision: use estimator 'paule_mandel'")
        return scale * between_by_moments(y, v, 1 / v, design)
    if estimator == "unweighted":
        return scale * between_by_moments(y, v, np.ones_like(v), design)
    low, high = 1e-12, 1.0
    if _rest(y, 1 / (v + low), design) <= freedom:
        return 0.0
    while _rest(y, 1 / (v + high), design) > freedom:
        high *= 2
    return float(scale * brentq(lambda tau2: _rest(y, 1 / (v + tau2), design) - freedom, low, high, xtol=1e-14))


def between_by_moments(values: np.ndarray, variances: np.ndarray, weights: np.ndarray, design: np.ndarray) -> float:
    """Return the variance between from one weighted sum of squares, at least 0 (DerSimonian & Kacker 2007).

    With M = W - W X (X'WX)^+ X'W the sum is y'My, and its expectation tr(M) tau2 + sum(M_ii v_i): the
    estimate before clipping is unbiased for any weights that do not depend on the errors.

    Args:
        values: Estimates.
        variances: Their squared standard errors.
        weights: Of the estimates, above 0.
        design: Estimates x coefficients of the target.
    """
    weighted = design * weights[:, None]
    inner = np.linalg.pinv(design.T @ weighted)
    diagonal = weights - np.einsum("ij,jk,ik->i", weighted, inner, weighted)
    excess = _rest(values, weights, design) - float(diagonal @ variances)
    return max(0.0, excess / float(diagonal.sum()))


def _shrink_one(
    means: np.ndarray, variances: np.ndarray, target: Target, estimator: Estimator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    known = np.isfinite(means) & np.isfinite(variances)
    if not known.any():
        return _without_precision(means, target)
    design = _design(known, target)
    between = between_variance(means[known], variances[known], design, estimator)
    total = between + variances[known]
    # Where neither bins nor errors vary, weights are alike: all means are the target then.
    weights = 1 / np.maximum(total, 1e-12 * total.max()) if total.max() > 0 else np.ones_like(total)
    coefficients = _fit(means[known], weights, design)
    full = _design(np.ones_like(known), target)
    targets = (full @ coefficients).reshape(means.shape)
    if target == "additive":
        unknown = ~known.any(axis=1)[:, None] | ~known.any(axis=0)[None, :]
        targets = np.where(unknown, np.nan, targets)
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = np.where(variances == 0, 1.0, between / (between + variances))
    factors = np.where(known, factors, 0.0)
    absent = np.isnan(means)
    values = np.where(factors == 1, means, targets + factors * (means - targets))
    errors = np.sqrt(between * (1 - factors))
    values, errors, factors = (np.where(absent, np.nan, array) for array in (values, errors, factors))
    return values, errors, factors, targets, between


def _without_precision(
    means: np.ndarray, target: Target
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the plain target for a column of which no variance is known."""
    there = np.isfinite(means)
    if not there.any():
        raise AttributionError("a column has no bin with a value: leave it out")
    design = _design(there, target)
    fitted = design @ _fit(means[there], np.ones(int(there.sum())), design)
    targets = np.full(means.shape, np.nan)
    targets[there] = fitted
    zeros = np.where(there, 0.0, np.nan)
    return targets, zeros, zeros, targets, 0.0


def _design(used: np.ndarray, target: Target) -> np.ndarray:
    return np.ones((int(used.sum()), 1)) if target == "mean" else np.concatenate(indicators(used), axis=1)


def _fit(y: np.ndarray, weights: np.ndarray, design: np.ndarray) -> np.ndarray:
    root = np.sqrt(weights / weights.max())
    coefficients: np.ndarray = np.linalg.lstsq(root[:, None] * design, root * y, rcond=None)[0]
    return coefficients


def _rest(y: np.ndarray, weights: np.ndarray, design: np.ndarray) -> float:
    """Return the weighted residual sum of squares."""
    return float(weights @ (y - design @ _fit(y, weights, design)) ** 2)
