"""What a mean difference between arms can be trusted with: items, order seeds and random sets were drawn.

A replicate is the difference + what the draw of items does, by cluster, + what the draw of order seeds
does + what the draw of random sets does, with the multipliers of
:mod:`social_provenance.estimation.bootstrap.multipliers`. All variances are the unbiased ones, the interaction of
items and runs is counted once, and percentiles are widened as Student's t is against the normal law,
with degrees of freedom by Satterthwaite (1946): two seeds and five sets are few.
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
    """An arm of a difference.

    Attributes:
        name: What its units are: ``seed`` or ``set``.
        sign: 1, or -1 where it is taken off.
        units: Numbers of its seeds or sets.
        runs: How many runs each unit has.
        values: Benchmark -> units x clusters: change of the cluster's items.
    """

    name: str
    sign: int
    units: Sequence[int]
    runs: Sequence[int]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Difference:
    """A mean difference.

    Attributes:
        value: Over items and units.
        error: Its standard error; NaN where a source of its variance cannot be known.
        df: Degrees of freedom of the error.
        sources: (Hashes, deviations) of each source: what multipliers are multiplied with.
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
    """The multipliers of a bootstrap; those of a benchmark's clusters are made once for all contrasts."""

    def __init__(self, bootstrap: Bootstrap) -> None:
        """Keep the settings.

        Args:
            bootstrap: Replicates, level and seed.
        """
        self._bootstrap = bootstrap
        self._made: dict[bytes, np.ndarray] = {}

    def interval(self, difference: Difference) -> tuple[float, float]:
        """Return the bounds of a difference; NaN where its error is not known."""
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
    """Return a mean difference of arms, in a weighted sum of benchmarks.

    Args:
        arms: The last one is that of the random sets. An arm of one unit takes the spread of its units from
            there, which holds that of order seeds, too; with one random set no error is known.
        clusters: Of each benchmark.
        weights: Benchmark -> weight, such as 1 for the aligned one and -1/3 for each of three others.

    Returns:
        The error is NaN with one random set, and where a benchmark has a single cluster of items.
    """
    value, sources, variances, freedoms = 0.0, [], [], []
    for benchmark, weight in weights.items():
        own = clusters[benchmark]
        means = np.sum([arm.sign * arm.values[benchmark].mean(axis=0) for arm in arms], axis=0) * weight
        mean, effective = float(own.shares @ means), kish(own.shares)
        value += mean
        sources.append((own.hashes, own.shares * (means - mean) * unbiasing(effective)))
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
    """How the units of an arm spread.

    Attributes:
        variance: Of a single unit; NaN with one.
        kept: Share of it that is not the interaction of items and units, which is in the variance over clusters.
        standard: Deviations of the units, squares summing to 1.
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
        own = values @ shares
        means += weight * own
        residual = (values - values.mean(axis=0) - (own - own.mean())[:, None]) * shares
        interaction += weight**2 * float((residual**2).sum()) * float(unbiasing(kish(shares))) ** 2 / (count - 1)
    deviations = means - means.mean()
    squares = float((deviations**2).sum())
    variance = squares / (count - 1)
    kept = float(np.clip(1 - interaction / variance, 0, 1)) if variance > 0 else 0.0
    standard = deviations / np.sqrt(squares) if squares > 0 else deviations
    return _Units(variance, kept, standard, count - 1.0)
