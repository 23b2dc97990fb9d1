"""Shrinkage of bin means towards their common mean, the stronger the larger their standard error.

The model is normal-normal: a bin's mean y has the known variance v about the bin's true value, and
true values have the variance tau2 about a target, the precision-weighted mean of the bins. Then

    shrunk = target + factor (y - target),   factor = tau2 / (tau2 + v)

(Efron & Morris 1973). tau2 is the unweighted residual sum of squares minus the contribution of the
errors (Hedges & Olkin 1985). It holds where variances are themselves estimates, as in bins of few
documents: weights 1 / v, as Paule & Mandel's (1982) and DerSimonian & Laird's (1986) estimators use
them, give too much weight to bins whose documents agree by chance, and tau2 is too large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from social_provenance.errors import AttributionError


@dataclass(frozen=True)
class Shrunk:
    """Shrunk bin means.

    Attributes:
        values: Shrunk means, in the unit of the means, shape (topics, formats, columns); NaN where a bin has no mean.
        errors: Posterior standard deviations sqrt(tau2 (1 - factor)), same unit and shape. They take target
            and tau2 as known, and are therefore somewhat too small.
        factors: Weight of the bin's own mean, 0 (the target) to 1, same shape.
        target: Precision-weighted mean of each column, shape (columns,).
        between: tau2 of each column, in the unit squared, shape (columns,).
    """

    values: np.ndarray
    errors: np.ndarray
    factors: np.ndarray
    target: np.ndarray
    between: np.ndarray


def shrink(means: np.ndarray, variances: np.ndarray) -> Shrunk:
    """Shrink the bins of each column towards their mean.

    Args:
        means: Bin means, shape (topics, formats, columns); NaN where a bin has no documents.
        variances: Squared standard errors, same shape. NaN or infinite where unknown, as for a bin of one
            document: such a bin has weight zero and becomes the target.

    Raises:
        AttributionError: If shapes differ, a variance is negative, or a column has no bin with a mean.
    """
    if means.ndim != 3 or means.shape != variances.shape:
        raise AttributionError(
            f"means have the shape {means.shape} and variances {variances.shape}: give both as topics x formats x "
            f"columns"
        )
    if (variances < 0).any():
        index = tuple(np.argwhere(variances < 0)[0].tolist())
        raise AttributionError(f"variances[{index}] is {variances[index]}: give squared standard errors, at least 0")
    columns = [_shrink_column(means[..., column], variances[..., column]) for column in range(means.shape[2])]
    values, errors, factors = (np.stack([column[part] for column in columns], axis=-1) for part in range(3))
    target, between = (np.array([column[part] for column in columns]) for part in (3, 4))
    return Shrunk(values, errors, factors, target, between)


def between_variance(values: np.ndarray, variances: np.ndarray) -> float:
    """Estimate the variance of true values about their mean, at least 0 (Hedges & Olkin 1985).

    Args:
        values: Estimates, in any unit, shape (estimates,).
        variances: Their squared standard errors, finite, same shape.
    """
    scale = float(np.ptp(values)) ** 2
    if len(values) < 2 or scale <= 1e-24 * float(np.max(values**2)):
        return 0.0
    # In units of their own range, so that a small unit of the scores does not underflow in squares.
    return scale * between_by_moments(values / np.sqrt(scale), variances / scale, np.ones_like(values))


def between_by_moments(values: np.ndarray, variances: np.ndarray, weights: np.ndarray) -> float:
    """Estimate the variance of true values from a weighted sum of squares, at least 0 (DerSimonian & Kacker 2007).

    The expectation of the sum about the weighted mean is c tau2 + sum of c_i v_i, with c_i = w_i - w_i^2 / sum(w)
    and c their sum: before clipping the estimate is unbiased for any weights that do not depend on the errors.

    Args:
        values: Estimates, shape (estimates,).
        variances: Their squared standard errors, same shape.
        weights: Weights of the estimates, above 0, same shape.
    """
    coefficients = weights - weights**2 / weights.sum()
    residuals = values - np.average(values, weights=weights)
    excess = float(weights @ residuals**2) - float(coefficients @ variances)
    return max(0.0, excess / float(coefficients.sum()))


def _shrink_column(means: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    known = np.isfinite(means) & np.isfinite(variances)
    absent = np.isnan(means)
    if not known.any():
        return _without_precision(means)
    between = between_variance(means[known], variances[known])
    total = between + variances[known]
    # Where neither bins nor errors vary, weights are alike: all means are the target then.
    weights = 1 / np.maximum(total, 1e-12 * total.max()) if total.max() > 0 else np.ones_like(total)
    target = float(np.average(means[known], weights=weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = np.where(variances == 0, 1.0, between / (between + variances))
    factors = np.where(known, factors, 0.0)
    values = np.where(factors == 1, means, target + factors * (means - target))
    errors = np.sqrt(between * (1 - factors))
    values, errors, factors = (np.where(absent, np.nan, array) for array in (values, errors, factors))
    return values, errors, factors, target, between


def _without_precision(means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """Return the plain mean for a column of which no variance is known."""
    filled = np.isfinite(means)
    if not filled.any():
        raise AttributionError("a column has no bin with a value: leave it out")
    target = float(means[filled].mean())
    zeros = np.where(filled, 0.0, np.nan)
    return np.where(filled, target, np.nan), zeros, zeros, target, 0.0
