"""Where two arms may be said to be alike: two one-sided tests against a margin (Schuirmann 1987).

That a difference is not significant says nothing about its absence. Here the burden is the other way
round: p is the probability to see arms so much alike although they differ by the margin.
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
"""Two one-sided tests at 5 percent call arms alike exactly where this interval lies within the margin."""
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
        changes: The contrast.
        margin: Nats.
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


def tost_p(found: Difference, margin: float) -> float:
    """Return p of two one-sided t tests that a difference lies within a margin; NaN without an error.

    Args:
        found: The difference, its standard error and degrees of freedom.
        margin: Above 0, in the unit of the difference.
    """
    from scipy.special import stdtr

    if np.isnan(found.error):
        return float("nan")
    if found.error == 0:
        return float(abs(found.value) >= margin)
    return float(
        max(
            stdtr(found.df, (found.value - margin) / found.error),
            stdtr(found.df, (-margin - found.value) / found.error),
        )
    )


def _tested(
    changes: Changes, arms: list[ArmChanges], measured: str, margin: float, reason: str | None
) -> dict[str, Any]:
    nothing = {**dict.fromkeys(("difference", "low", "high", "p")), "equivalent": False}
    if reason:
        return {**nothing, "reason": reason}
    found = difference(arms, changes.clusters, {measured: 1.0})
    p = tost_p(found, margin)
    if p != p:  # noqa: PLR0124 (NaN)
        few = "there is one random set" if len(arms[-1].units) < 2 else f"the items of {measured} are one cluster"
        return {**nothing, "difference": found.value, "reason": f"{few}, so its error is not known"}
    low, high = found.t_interval(CONFIDENCE)
    return {"difference": found.value, "low": low, "high": high, "p": p, "equivalent": p <= LEVEL, "reason": None}
