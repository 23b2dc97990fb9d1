"""Intervals of mean differences between arms, over the draws of items, order seeds and random sets.

A bootstrap replicate is the difference plus a deviation for the draw of items (by cluster), one for the draw of
order seeds and one for the draw of random sets, with the multipliers of
:mod:`social_provenance.estimation.bootstrap.multipliers`. All variances are unbiased and the interaction of
items and runs is counted once. Percentiles are widened by the ratio of Student's t to the normal quantile, with
degrees of freedom by Satterthwaite (1946), because two seeds and five sets are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.estimation.bootstrap.multipliers import hash_names, multipliers
from social_provenance.estimation.bootstrap.resample import kish, unbiasing
from social_provenance.estimation.bootstrap.uncertainty import LEAST_DF, MOST_DF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.forgetting.effects.changes import Clusters


@dataclass(frozen=True)
class ArmChanges:
    """Changes of one arm of a difference.

    Attributes:
        name: Kind of its units: ``seed`` or ``set``.
        sign: 1, or -1 if it is subtracted.
        units: Numbers of its seeds or sets.
        runs: Number of runs of each unit.
        values: Benchmark -> mean change of each cluster of items, shape (units, clusters).
    """

    name: str
    sign: int
    units: Sequence[int]
    runs: Sequence[int]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Difference:
    """A mean difference with its error.

    Attributes:
        value: Mean over items and units, nats or share.
        error: Standard error; NaN where a source of variance is not identifiable.
        df: Degrees of freedom of the error.
        sources: (Hashes, deviations) of each source of variance; multipliers are drawn by hash.
    """

    value: float
    error: float
    df: float
    sources: list[tuple[np.ndarray, np.ndarray]]

    def t_interval(self, confidence: float) -> tuple[float, float]:
        """Return the interval of Student's t."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.df, (1 + confidence) / 2)) * self.error
        return self.value - half, self.value + half


class Draws:
    """Multipliers of a bootstrap; those of a benchmark's clusters are drawn once for all contrasts."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        """Keep the settings.

        Args:
            bootstrap: Replicates, level and seed.
        """
        self._bootstrap = bootstrap
        self._made: dict[bytes, np.ndarray] = {}

    def interval(self, difference: Difference) -> tuple[float, float]:
        """Return the bounds of a difference; NaN without an error."""
        from scipy.special import ndtri, stdtrit

        if np.isnan(difference.error):
            return float("nan"), float("nan")
        replicates = np.sum(
            [deviations.astype(np.float32) @ self._of(hashes) for hashes, deviations in difference.sources], axis=0
        )
        top = (1 + self._bootstrap.confidence) / 2
        low, high = np.quantile(replicates, [1 - top, top])
        widening = float(stdtrit(difference.df, top) / ndtri(top))
        return difference.value + min(low, 0) * widening, difference.value + max(high, 0) * widening

    def _of(self, hashes: np.ndarray) -> np.ndarray:
        key = hashes.tobytes()
        if key not in self._made:
            self._made[key] = multipliers(hashes, self._bootstrap.replicates, self._bootstrap.seed)
        return self._made[key]


def difference(
    arms: Sequence[ArmChanges], clusters: Mapping[str, Clusters], weights: Mapping[str, float]
) -> Difference:
    """Return the mean difference of arms in a weighted sum of benchmarks.

    Args:
        arms: Arms; the last one is that of the random sets. An arm with one unit borrows the variance of that
            arm, which includes the variance of order seeds; with one random set there is no error.
        clusters: Benchmark -> clusters of its items.
        weights: Benchmark -> weight, such as 1 for the aligned one and -1/3 for each of three others.

    Returns:
        The error is NaN with one random set, and where a benchmark has a single cluster of items.
    """
    value, sources, variances, freedoms = 0.0, [], [], []
    for benchmark, weight in weights.items():
        items = clusters[benchmark]
        means = np.sum([arm.sign * arm.values[benchmark].mean(axis=0) for arm in arms], axis=0) * weight
        mean, effective = float(items.shares @ means), kish(items.shares)
        value += mean
        sources.append((items.hashes, items.shares * (means - mean) * unbiasing(effective)))
        variances.append(float((sources[-1][1] ** 2).sum()) if effective > 1 + 1e-9 else np.nan)
        freedoms.append(float(effective) - 1)
    lender = _units(arms[-1], clusters, weights)
    for arm in arms:
        own_units = _units(arm, clusters, weights)
        spread = own_units if len(arm.units) > 1 else lender
        scale = np.sqrt(spread.variance * spread.kept / len(arm.units))
        standard = own_units.standard if len(arm.units) > 1 else np.ones(1)
        sources.append((hash_names([f"{arm.name} {unit}" for unit in arm.units]), arm.sign * standard * scale))
        variances.append(float(scale**2))
        freedoms.append(spread.df)
    total = float(np.sum(variances))
    squares = float(np.sum([variance**2 / max(df, 1e-12) for variance, df in zip(variances, freedoms, strict=True)]))
    df = float(np.clip(total**2 / squares, LEAST_DF, MOST_DF)) if squares > 0 else MOST_DF
    return Difference(value, float(np.sqrt(total)), df, sources)


@dataclass(frozen=True)
class _Units:
    """Variance over the units of an arm.

    Attributes:
        variance: Variance of a single unit; NaN with one.
        kept: Share of it without the interaction of items and units, which the variance over clusters includes.
        standard: Deviations of the units, scaled to unit sum of squares, shape (units,).
        df: Degrees of freedom.
    """

    variance: float
    kept: float
    standard: np.ndarray
    df: float


def _units(arm: ArmChanges, clusters: Mapping[str, Clusters], weights: Mapping[str, float]) -> _Units:
    count = len(arm.units)
    if count < 2:
        return _Units(np.nan, 1.0, np.zeros(count), np.nan)
    means, interaction = np.zeros(count), 0.0
    for benchmark, weight in weights.items():
        values, shares = arm.values[benchmark], clusters[benchmark].shares
        unit_means = values @ shares
        means += weight * unit_means
        residual = (values - values.mean(axis=0) - (unit_means - unit_means.mean())[:, None]) * shares
        interaction += weight**2 * float((residual**2).sum()) * float(unbiasing(kish(shares))) ** 2 / (count - 1)
    deviations = means - means.mean()
    squares = float((deviations**2).sum())
    variance = squares / (count - 1)
    kept = float(np.clip(1 - interaction / variance, 0, 1)) if variance > 0 else 0.0
    standard = deviations / np.sqrt(squares) if squares > 0 else deviations
    return _Units(variance, kept, standard, count - 1.0)
