"""Random sets of documents, matched to a targeted set in length and, by parameter, gradient norm and loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.forgetting.vocabulary import VARIABLES

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.forgetting.settings import Matching

SWAPS = 20_000
"""Upper bound on attempted exchanges per set."""


@dataclass(frozen=True)
class Pool:
    """The documents that a set may be drawn from.

    Attributes:
        ids: Document ids, in the order of ``values``.
        values: Variables, shape (documents, :data:`VARIABLES`).
    """

    ids: Sequence[str]
    values: np.ndarray

    @classmethod
    def of(cls, documents: pd.DataFrame) -> Pool:
        """Return the pool of a table with ``doc_id`` and :data:`VARIABLES`, ordered by ``doc_id``."""
        ordered = documents.sort_values("doc_id")
        return cls(ordered["doc_id"].tolist(), ordered[list(VARIABLES)].to_numpy(float))

    def rows_of(self, ids: Sequence[str]) -> np.ndarray:
        """Return the rows of documents in ``values``."""
        row_of = {doc_id: row for row, doc_id in enumerate(self.ids)}
        return np.array([row_of[doc_id] for doc_id in ids])


def standardised_differences(targeted: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Return standardised mean differences: difference of means over the root of the mean variance (Austin 2009).

    A variable that does not vary in either set has the difference 0 where the means are equal, and an
    infinite one otherwise.

    Args:
        targeted: Values of one set, shape (documents, variables).
        control: Values of the other, shape (documents, variables).

    Returns:
        One difference per variable.
    """
    origin = targeted[0]  # makes a constant variable exactly 0, and so its mean over any number of rows
    one, other = SetMoments.of(targeted - origin), SetMoments.of(control - origin)
    return one.differences(other)


def draw_matched(pool: Pool, targeted: Sequence[str], settings: Matching, rng: random.Random) -> list[str]:
    """Draw a random set of the size of a targeted one, matched in the variables of the settings.

    For each targeted document one of its nearest neighbours is drawn, by distance in standardised
    variables, without replacement. Then documents of the set are exchanged for others of the pool, at
    random, where that lowers the largest difference, until all are within their tolerances.
    Any document of the pool may be drawn, a targeted one too: the null is "documents of this pool",
    not "documents of this pool that matter less".

    Args:
        pool: Documents to draw from, the targeted ones among them.
        targeted: Ids of the targeted set.
        settings: Variables, neighbours and tolerances.
        rng: Random numbers for neighbours and exchanges.

    Returns:
        Ids. :func:`balance` reports the remaining differences.
    """
    targeted_rows = pool.rows_of(targeted)
    matched = pool.values[:, [name in settings.variables for name in VARIABLES]]
    chosen = _neighbours(_standardise(matched), targeted_rows, settings.neighbours, rng)
    values = matched - matched[0]
    goal = _Goal(SetMoments.of(values[targeted_rows]), float(matched[targeted_rows, 0].sum()), settings)
    moments = SetMoments.of(values[chosen])
    worst = goal.excess(moments)
    outside = np.setdiff1d(np.arange(len(pool.ids)), chosen)
    for _ in range(SWAPS if len(outside) else 0):
        if worst < 1:
            break
        leaves, comes = rng.randrange(len(chosen)), rng.randrange(len(outside))
        trial = moments.exchange(values[chosen[leaves]], values[outside[comes]])
        after = goal.excess(trial)
        if after < worst:
            chosen[leaves], outside[comes] = outside[comes], chosen[leaves]
            moments, worst = trial, after
    return [pool.ids[row] for row in chosen]


def balance(pool: Pool, targeted: Sequence[str], control: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row per variable: the difference of both sets, and that of the targeted one from the whole pool.

    Returns:
        Rows of ``variable``, ``targeted``, ``control``, ``unmatched`` (means), ``standardised_difference``
        (targeted against control) and ``unmatched_difference`` (targeted against the pool).
    """
    first, second = pool.values[pool.rows_of(targeted)], pool.values[pool.rows_of(control)]
    matched = standardised_differences(first, second)
    unmatched = standardised_differences(first, pool.values)
    return [
        {
            "variable": name,
            "targeted": float(first[:, column].mean()),
            "control": float(second[:, column].mean()),
            "unmatched": float(pool.values[:, column].mean()),
            "standardised_difference": float(matched[column]),
            "unmatched_difference": float(unmatched[column]),
        }
        for column, name in enumerate(VARIABLES)
    ]


def _standardise(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    scaled: np.ndarray = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def _neighbours(values: np.ndarray, targeted: np.ndarray, count: int, rng: random.Random) -> np.ndarray:
    free = np.ones(len(values), dtype=bool)
    chosen = []
    for row in rng.sample(targeted.tolist(), len(targeted)):
        candidates = np.flatnonzero(free)
        distance = ((values[candidates] - values[row]) ** 2).sum(axis=1)
        near = candidates[np.argsort(distance, kind="stable")[:count]]
        chosen.append(rng.choice(near.tolist()))
        free[chosen[-1]] = False
    return np.array(chosen)


@dataclass(frozen=True)
class SetMoments:
    """Moments of a set of documents, updated by an exchange at a cost that does not depend on its size.

    Attributes:
        count: Number of documents.
        sums: Sum of each variable, shape (variables,).
        squares: Sum of squares of each variable, shape (variables,).
    """

    count: int
    sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> SetMoments:
        """Return the moments of values of shape (documents, variables)."""
        return cls(len(values), values.sum(axis=0), (values**2).sum(axis=0))

    def exchange(self, leaves: np.ndarray, comes: np.ndarray) -> SetMoments:
        """Return the moments after one document is exchanged for another."""
        return SetMoments(self.count, self.sums - leaves + comes, self.squares - leaves**2 + comes**2)

    def differences(self, other: SetMoments) -> np.ndarray:
        """Return the standardised differences of means, this set's minus the other's."""
        difference = self.sums / self.count - other.sums / other.count
        spread = np.sqrt((self._variance() + other._variance()) / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(difference == 0, 0.0, difference / spread)

    def _variance(self) -> np.ndarray:
        """Return the unbiased variances; 0 for a single document."""
        return np.maximum(self.squares - self.sums**2 / self.count, 0.0) / max(self.count - 1, 1)


@dataclass(frozen=True)
class _Goal:
    """Moments and tolerances that a random set is matched to."""

    moments: SetMoments
    tokens: float
    settings: Matching

    def excess(self, other: SetMoments) -> float:
        """Return the largest difference in units of its tolerance; below 1 all are tolerated."""
        apart = abs(self.moments.differences(other)).max() / self.settings.tolerance
        tokens = abs(float(self.moments.sums[0] - other.sums[0])) / self.tokens / self.settings.token_tolerance
        return float(max(apart, tokens))
