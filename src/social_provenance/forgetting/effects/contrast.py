"""Does forgetting influential documents hurt the aligned benchmark, and not the others, more than random ones do?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.estimation.significance.multiplicity import q_values
from social_provenance.forgetting.effects.intervals import ArmChanges, Draws, difference
from social_provenance.forgetting.vocabulary import (
    CONTRAST,
    EQUAL_COMPUTE,
    MEASURES,
    OUTCOMES,
    PLAIN,
    PRIMARY,
    SPECIFIC,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from social_provenance.forgetting.effects.changes import Changes
    from social_provenance.forgetting.effects.readings import Reading

ROUNDING = 1e-12
"""Relative difference of two means below which they are equal but for rounding."""
ESTIMATES = (*SPECIFIC, "selectivity", *PLAIN, "influence", "random", "others", "smallest_p")
EFFECT_COLUMNS = (
    *CONTRAST, "outcome", "normalisation", "reading", "step", "n_targeted", "n_random", *ESTIMATES, "reason",
)  # fmt: skip
SET_COLUMNS = (*CONTRAST, "outcome", "reading", "measured", "arm", "set", "runs", "change")


@dataclass(frozen=True)
class ContrastArms:
    """The two arms of a contrast at a reading.

    Attributes:
        targeted: Targeted arm; its units are order seeds.
        random: Control; its units are random sets.
    """

    targeted: ArmChanges
    random: ArmChanges

    def reason(self, changes: Changes, reading: Reading) -> str | None:
        """Return the reason why the arms cannot be compared; None if they can."""
        for arm, name in ((self.targeted, changes.targeted), (self.random, changes.control)):
            planned = int((changes.drawn["arm"] == name).sum())
            if not planned:
                return f"no run of {name} is left"
            if not len(arm.units):
                at = "a step that all reached" if reading.name == EQUAL_COMPUTE else reading.name
                return f"none of {planned} runs of {name} reached {at}"
        return None


def arms_at(changes: Changes, reading: Reading, outcome: str) -> ContrastArms:
    """Return the arms of a contrast at a reading: order seeds of the targeted set, and random sets.

    Runs without the reading are left out; runs of one random set are averaged.
    """
    read = {benchmark: changes.at(reading, outcome, benchmark) for benchmark in changes.clusters}
    made = []
    for arm, unit, sign in ((changes.targeted, "seed", 1), (changes.control, "set", -1)):
        rows = np.flatnonzero((changes.drawn["arm"] == arm) & reading.is_known())
        numbers, codes, counts = np.unique(changes.drawn[unit][rows], return_inverse=True, return_counts=True)
        average = (codes == np.arange(len(numbers))[:, None]) / counts[:, None]
        values = {name: average @ table[rows] for name, table in read.items()}
        made.append(ArmChanges(unit, sign, numbers.tolist(), counts.tolist(), values))
    return ContrastArms(*made)


def effect_rows(changes: Changes, draws: Draws) -> Iterator[dict[str, Any]]:
    """Yield the effect of a contrast for every outcome and reading.

    Args:
        changes: Contrast with its changes.
        draws: Bootstrap multipliers.
    """
    for outcome in OUTCOMES:
        for reading in changes.readings:
            arms = arms_at(changes, reading, outcome)
            reason = arms.reason(changes, reading)
            row = {**changes.named, "outcome": outcome, "reading": reading.name, "step": reading.step}
            row |= {"n_targeted": len(arms.targeted.units), "n_random": len(arms.random.units), "reason": reason}
            yield row | (dict.fromkeys(ESTIMATES) if reason else _estimates(changes, arms, draws))


def set_rows(changes: Changes) -> Iterator[dict[str, Any]]:
    """Yield the mean change of every set of documents on every benchmark, for every outcome and reading.

    Args:
        changes: Contrast with its changes.
    """
    for outcome in OUTCOMES:
        for reading in changes.readings:
            arms = arms_at(changes, reading, outcome)
            named = {**changes.named, "outcome": outcome, "reading": reading.name}
            for measured, own in changes.clusters.items():
                targeted, random = (arm.values[measured] @ own.shares for arm in (arms.targeted, arms.random))
                if len(targeted):
                    row = {"measured": measured, "arm": changes.targeted, "set": 0, "runs": sum(arms.targeted.runs)}
                    yield {**named, **row, "change": float(targeted.mean())}
                for number, runs, change in zip(arms.random.units, arms.random.runs, random, strict=True):
                    row = {"measured": measured, "arm": changes.control, "set": number, "runs": runs}
                    yield {**named, **row, "change": float(change)}


def randomisation_p(targeted: float, random: np.ndarray, size: float = 0.0) -> tuple[float, int]:
    """Return p of the randomisation test: how often a random set damages at least as much as the targeted one.

    Phipson & Smyth (2010): p = (1 + random sets at least as damaging) / (random sets + 1), exact where sets
    are exchangeable and have one run each. The mean over several order seeds is steadier than a single run,
    so p is then conservative.

    Args:
        targeted: Mean change of the targeted set, negative for damage.
        random: Mean change of each random set, at least one, shape (sets,).
        size: Largest absolute number that these are differences of; rounding is relative to it.

    Returns:
        One-sided p, and the number of random sets that damage less; equal but for rounding counts as much.
    """
    tolerance = ROUNDING * max(size, abs(targeted), float(np.abs(random).max()))
    as_damaging = int((random <= targeted + tolerance).sum())
    return (1 + as_damaging) / (len(random) + 1), len(random) - as_damaging


def with_q(effects: pd.DataFrame) -> pd.DataFrame:
    """Return effects with q-values of the primary family: scope topic, primary outcome, equal compute; else null."""
    family = (effects["scope"] == "topic") & (effects["outcome"] == PRIMARY) & (effects["reading"] == EQUAL_COMPUTE)
    p = {measure.q: np.where(family, effects[measure.p].to_numpy(float), np.nan) for measure in MEASURES}
    return effects.assign(**{q: q_values(values) for q, values in p.items()})


def against_others(aligned: str, benchmarks: Mapping[str, Any]) -> dict[str, float]:
    """Return weights of the aligned benchmark minus the mean of the others; empty if there is no other."""
    others = [name for name in benchmarks if name != aligned]
    return {aligned: 1.0, **dict.fromkeys(others, -1 / len(others))} if others else {}


def _estimates(changes: Changes, arms: ContrastArms, draws: Draws) -> dict[str, Any]:
    aligned, pair = changes.named["benchmark"], (arms.targeted, arms.random)
    sets, seeds = (arm.values[aligned] @ changes.clusters[aligned].shares for arm in (arms.random, arms.targeted))
    aligned_difference = difference(pair, changes.clusters, {aligned: 1.0})
    low, high = draws.interval(aligned_difference)
    p, n_random_less_damaging = randomisation_p(float(seeds.mean()), sets)
    estimates = {
        "influence": float(seeds.mean()),
        "random": float(sets.mean()),
        "influence_minus_random": aligned_difference.value,
        "ci_low": low,
        "ci_high": high,
        "n_random_less_damaging": n_random_less_damaging,
        "p": p,
        "smallest_p": 1 / (len(sets) + 1),
    }
    return dict.fromkeys(ESTIMATES) | estimates | _against_others(changes, pair, draws)


def _against_others(changes: Changes, pair: tuple[ArmChanges, ArmChanges], draws: Draws) -> dict[str, Any]:
    aligned = changes.named["benchmark"]
    weights = against_others(aligned, changes.clusters)
    if not weights:
        return {}
    did = difference(pair, changes.clusters, weights)
    targeted, random = (_unit_means(arm, changes, weights) for arm in pair)
    size = max(
        float(np.abs(arm.values[name] @ changes.clusters[name].shares).max()) for arm in pair for name in weights
    )
    p, n_random_less_damaging = randomisation_p(float(targeted.mean()), random, size)
    estimates = {"did": did.value, "selectivity": float(targeted.mean())}
    estimates["did_low"], estimates["did_high"] = draws.interval(did)
    return {
        # Benchmarks that are damaged alike differ by rounding, which would count as damage where it is negative.
        **{name: 0.0 if abs(value) <= ROUNDING * size else value for name, value in estimates.items()},
        "did_n_random_less_damaging": n_random_less_damaging,
        "did_p": p,
        "others": difference(pair, changes.clusters, {aligned: 1.0}).value - did.value,
    }


def _unit_means(arm: ArmChanges, changes: Changes, weights: Mapping[str, float]) -> np.ndarray:
    """Return the weighted sum over benchmarks of the mean change of each unit, shape (units,)."""
    means: np.ndarray = np.sum(
        [weight * (arm.values[name] @ changes.clusters[name].shares) for name, weight in weights.items()], axis=0
    )
    return means
