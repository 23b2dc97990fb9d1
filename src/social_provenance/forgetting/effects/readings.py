"""Readings: at which steps of their trajectories runs are compared.

A reading is a weighted mean over the evaluated steps. The same weights serve every benchmark and cluster of
items, and a new reading needs no new run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.forgetting.vocabulary import AREA, EQUAL_COMPUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.forgetting.effect_settings import EffectSettings


@dataclass(frozen=True)
class Reading:
    """One reading of some runs.

    Attributes:
        name: ``equal_compute``, ``area``, ``forget_loss+0.1``, ``heldout_loss+0.01`` and the like.
        step: The step that is read, or the last one of a mean; None where it lies between steps.
        weights: Weight of each step, shape (runs, steps); NaN throughout for a run without this reading.
    """

    name: str
    step: int | None
    weights: np.ndarray

    def is_known(self) -> np.ndarray:
        """Return for each run whether it has this reading, shape (runs,)."""
        known: np.ndarray = np.isfinite(self.weights).all(axis=1) & (self.weights.shape[1] > 0)
        return known


@dataclass(frozen=True)
class Readings:
    """All readings of some runs.

    Attributes:
        grid: Steps at which they were evaluated, ascending from 0.
        reached: Whether the run was evaluated at the step, shape (runs, steps).
        each: The readings.
    """

    grid: np.ndarray
    reached: np.ndarray
    each: list[Reading]


def take_readings(trajectory: pd.DataFrame, run_ids: Sequence[str], settings: EffectSettings) -> Readings:
    """Return all readings of some runs.

    Args:
        trajectory: ``run_id``, ``step``, ``forget_loss``, ``heldout_loss`` of these runs, each from step 0.
        run_ids: Runs, in the order of the weights.
        settings: Doses.
    """
    import pandas as pd

    grid, steps = np.unique(trajectory["step"].to_numpy(), return_inverse=True)
    cells = (pd.Index(run_ids).get_indexer(pd.Index(trajectory["run_id"])), steps)
    reached = np.zeros((len(run_ids), len(grid)), dtype=bool)
    reached[cells] = True
    readings = _at_equal_compute(grid, reached)
    for name, rises in (("forget_loss", settings.forget_rises), ("heldout_loss", settings.heldout_rises)):
        losses = np.full(reached.shape, np.nan)
        losses[cells] = trajectory[name]
        changes = losses - losses[:, :1]
        for rise in rises:
            weights = np.array([crossing(rises_of_run, rise) for rises_of_run in changes]).reshape(changes.shape)
            readings.append(Reading(f"{name}+{rise:g}", None, weights))
    return Readings(grid, reached, readings)


def crossing(rises: np.ndarray, level: float) -> np.ndarray:
    """Return the weights of the two steps between which a loss first rises to a level, by linear interpolation.

    Args:
        rises: Rise of the loss since step 0, shape (steps,); NaN where the run was not evaluated.
        level: Rise to look for, above 0.

    Returns:
        Weights, shape (steps,); NaN where the level is never reached.
    """
    evaluated = np.flatnonzero(np.isfinite(rises))
    above = np.flatnonzero(rises[evaluated] >= level)
    if not len(above):
        return np.full(len(rises), np.nan)
    before, after = evaluated[above[0] - 1], evaluated[above[0]]
    weights = np.zeros(len(rises))
    weights[after] = (level - rises[before]) / (rises[after] - rises[before])
    weights[before] = 1 - weights[after]
    return weights


def trapezoid(grid: np.ndarray, reached: np.ndarray, last: int) -> np.ndarray:
    """Return the weights of the mean over steps 0 to ``last`` by the trapezoid rule, shape (steps,)."""
    evaluated = np.flatnonzero(reached & (grid <= last))
    widths = np.diff(grid[evaluated]) / last
    weights = np.zeros(len(grid))
    weights[evaluated[:-1]] += widths / 2
    weights[evaluated[1:]] += widths / 2
    return weights


def _at_equal_compute(grid: np.ndarray, reached: np.ndarray) -> list[Reading]:
    last = int(grid[reached.all(axis=0)].max(initial=0)) if len(reached) else 0
    if last == 0:
        nothing = np.full(reached.shape, np.nan)
        return [Reading(EQUAL_COMPUTE, None, nothing), Reading(AREA, None, nothing)]
    at_last = np.broadcast_to((grid == last).astype(float), reached.shape)
    area = np.stack([trapezoid(grid, of_run, last) for of_run in reached])
    return [Reading(EQUAL_COMPUTE, last, at_last), Reading(AREA, last, area)]
