"""Equivalence of two arms: two one-sided tests against a margin (Schuirmann 1987).

A difference that is not significant may still exist. Here the null hypothesis is a difference of at least the
margin: p is the probability of arms this similar if they differ by the margin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.forgetting.effects.contrast import arms_at
from social_provenance.forgetting.effects.intervals import difference
from social_provenance.forgetting.vocabulary import AGAINST_RANDOM, AGAINST_UNTOUCHED, CONTRAST, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from social_provenance.forgetting.effects.changes import Changes
    from social_provenance.forgetting.effects.intervals import ArmChanges, Difference

CONFIDENCE = 0.9
"""Two one-sided tests at 5 percent are significant exactly if this interval lies within the margin."""
LEVEL = 0.05
EQUIVALENCE_COLUMNS = (
    *CONTRAST, "outcome", "reading", "comparison", "measured", "difference", "low", "high", "margin", "p",
    "equivalent", "reason",
)  # fmt: skip


def equivalence_rows(changes: Changes, margin: float) -> Iterator[dict[str, Any]]:
    """Yield the tests of a contrast at every reading, for the primary outcome.

    Influence against random on every other benchmark; with global sets also random against the untouched
    model on every benchmark.

    Args:
        changes: Contrast with its changes.
        margin: Equivalence margin, nats.
    """
    aligned = changes.named["benchmark"]
    for reading in changes.readings:
        arms = arms_at(changes, reading, PRIMARY)
        reason = arms.reason(changes, reading)
        named = {**changes.named, "outcome": PRIMARY, "reading": reading.name}
        for measured in changes.clusters:
            if measured != aligned:
                row = {**named, "comparison": AGAINST_RANDOM, "measured": measured, "margin": margin}
                yield row | _tested(changes, [arms.targeted, arms.random], measured, margin, reason)
            if changes.named["scope"] == "global" and len(arms.random.units):
                row = {**named, "comparison": AGAINST_UNTOUCHED, "measured": measured, "margin": margin}
                yield row | _tested(changes, [replace(arms.random, sign=1)], measured, margin, None)


def tost_p(estimate: Difference, margin: float) -> float:
    """Return p of two one-sided t tests that a difference is within a margin; NaN without an error.

    Args:
        estimate: Difference with its standard error and degrees of freedom.
        margin: Equivalence margin, above 0, in the unit of the difference.
    """
    from scipy.special import stdtr

    if np.isnan(estimate.error):
        return float("nan")
    if estimate.error == 0:
        return float(abs(estimate.value) >= margin)
    return float(
        max(
            stdtr(estimate.df, (estimate.value - margin) / estimate.error),
            stdtr(estimate.df, (-margin - estimate.value) / estimate.error),
        )
    )


def _tested(
    changes: Changes, arms: list[ArmChanges], measured: str, margin: float, reason: str | None
) -> dict[str, Any]:
    nothing = {**dict.fromkeys(("difference", "low", "high", "p")), "equivalent": False}
    if reason:
        return {**nothing, "reason": reason}
    estimate = difference(arms, changes.clusters, {measured: 1.0})
    p = tost_p(estimate, margin)
    if p != p:  # noqa: PLR0124 (NaN)
        few = "there is one random set" if len(arms[-1].units) < 2 else f"the items of {measured} are one cluster"
        return {**nothing, "difference": estimate.value, "reason": f"{few}, so it has no standard error"}
    low, high = estimate.t_interval(CONFIDENCE)
    return {"difference": estimate.value, "low": low, "high": high, "p": p, "equivalent": p <= LEVEL, "reason": None}
