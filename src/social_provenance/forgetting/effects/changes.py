"""Changes of the benchmarks: per run, reading and cluster of items, against step 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import UnlearningError
from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.forgetting.effects.readings import take_readings
from social_provenance.forgetting.vocabulary import ARMS, CONTRAST, FAILED, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from social_provenance.forgetting.effect_settings import EffectSettings
    from social_provenance.forgetting.effects.readings import Reading, Readings


@dataclass(frozen=True)
class RunTables:
    """Tables of a study's runs.

    Attributes:
        runs: ``run_id``, ``benchmark``, ``topic``, ``scope``, ``arm``, ``set``, ``algorithm``, ``seed``,
            ``status`` (``done``, ``stopped``, ``failed``).
        answers: ``run_id``, ``step``, ``benchmark``, ``item``, ``cluster``, ``normalisation`` and the columns of
            the outcomes.
        trajectory: ``run_id``, ``step``, ``forget_loss``, ``heldout_loss``, from step 0.
    """

    runs: pd.DataFrame
    answers: pd.DataFrame
    trajectory: pd.DataFrame


@dataclass(frozen=True)
class Clusters:
    """The clusters of a benchmark's items.

    Attributes:
        hashes: Hashes of their names, uint64, shape (clusters,).
        shares: Share of the items, shape (clusters,); sums to 1.
    """

    hashes: np.ndarray
    shares: np.ndarray


@dataclass(frozen=True)
class Changes:
    """A contrast with the changes of every benchmark in its runs.

    Attributes:
        named: ``benchmark`` (the aligned one), ``topic``, ``scope``, ``algorithm``.
        runs: Runs that did not fail, sorted by ``arm``, ``set`` and ``seed``.
        readings: Readings of these runs.
        clusters: Benchmark -> clusters of its items.
        grid: Outcome and benchmark -> mean change of a cluster's items since step 0, shape (runs, steps,
            clusters); NaN at steps that a run did not reach.
    """

    named: Mapping[str, Any]
    runs: pd.DataFrame
    readings: list[Reading]
    clusters: Mapping[str, Clusters]
    grid: Mapping[tuple[str, str], np.ndarray]

    def at(self, reading: Reading, outcome: str, benchmark: str) -> np.ndarray:
        """Return the changes at a reading, shape (runs, clusters); NaN for a run without it."""
        changes = self.grid[outcome, benchmark]
        # Steps that a run did not reach have weight 0, and 0 x NaN is NaN.
        read: np.ndarray = np.einsum("rs,rsc->rc", reading.weights, np.nan_to_num(changes))
        return read

    @cached_property
    def drawn(self) -> dict[str, np.ndarray]:
        """Arm, set and seed of each run, shape (runs,); read for every outcome and reading."""
        return {name: self.runs[name].to_numpy() for name in ("arm", "set", "seed")}

    @property
    def targeted(self) -> str:
        """Arm of the influential documents."""
        return ARMS[self.named["scope"]][0]

    @property
    def control(self) -> str:
        """Arm of the random sets."""
        return ARMS[self.named["scope"]][1]


def contrast_changes(measured: RunTables, settings: EffectSettings) -> Iterator[Changes]:
    """Yield every contrast with the changes of its runs, one at a time, because all may not fit in memory.

    Args:
        measured: Tables of the study, rows in any order.
        settings: Doses.

    Raises:
        UnlearningError: If a run that did not fail has no trajectory, or lacks answers.
    """
    import pandas as pd

    answers, trajectory = (_by_run(table) for table in (measured.answers, measured.trajectory))
    arms = [arm for pair in ARMS.values() for arm in pair]
    runs = measured.runs[measured.runs["arm"].isin(arms)]
    for _, own in runs.groupby(list(CONTRAST), dropna=False):
        named = {name: own[name].iloc[0] for name in CONTRAST}
        named["topic"] = None if pd.isna(named["topic"]) else named["topic"]
        kept = own[own["status"] != FAILED].sort_values(["arm", "set", "seed"], ignore_index=True)
        for run_id in kept["run_id"]:
            if run_id not in answers or run_id not in trajectory:
                raise UnlearningError(f"run {run_id} did not fail and has no answers or no trajectory: run it again")
        ids = kept["run_id"].tolist()
        readings = take_readings(_rows(measured.trajectory, trajectory, ids), ids, settings)
        clusters, changes = _gather(_rows(measured.answers, answers, ids), ids, readings)
        if ids and named["benchmark"] not in clusters:
            raise UnlearningError(f"benchmark {named['benchmark']} has no answers: evaluate the runs on it")
        yield Changes(named, kept, readings.each, clusters, changes)


def _by_run(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the row numbers of each run."""
    groups = table.groupby("run_id", observed=True, sort=False).indices
    return {str(run_id): np.asarray(places) for run_id, places in groups.items()}


def _rows(table: pd.DataFrame, places: Mapping[str, np.ndarray], run_ids: list[str]) -> pd.DataFrame:
    return table.iloc[np.concatenate([np.empty(0, dtype=int), *(places[run_id] for run_id in run_ids)])]


def _gather(
    answers: pd.DataFrame, run_ids: list[str], readings: Readings
) -> tuple[dict[str, Clusters], dict[tuple[str, str], np.ndarray]]:
    """Return the clusters of each benchmark, and the changes of their means on the grid."""
    import pandas as pd

    clusters, changes = {}, {}
    answers = answers[answers["step"].isin(readings.grid)]
    runs = pd.Index(run_ids).get_indexer(pd.Index(answers["run_id"]))
    steps = pd.Index(readings.grid).get_indexer(pd.Index(answers["step"]))
    for name, rows in answers.groupby("benchmark", observed=True).indices.items():
        benchmark, own = str(name), answers.iloc[rows]
        items = own.drop_duplicates("item")[["cluster", "item"]].sort_values(["cluster", "item"])
        starts = np.flatnonzero(~items["cluster"].duplicated().to_numpy())
        sizes = np.diff([*starts, len(items)])
        names = [f"{benchmark}/{cluster}" for cluster in items["cluster"].iloc[starts]]
        clusters[benchmark] = Clusters(hash_names(names), sizes / len(items))
        place = (runs[rows], steps[rows], pd.Index(items["item"]).get_indexer(pd.Index(own["item"])))
        for outcome, column in OUTCOMES.items():
            cube = np.full((*readings.reached.shape, len(items)), np.nan)
            cube[place] = own[column].to_numpy(float)
            _require_answers(cube, run_ids, readings, f"{column} of {benchmark}")
            means = np.add.reduceat(cube, starts, axis=2) / sizes
            changes[outcome, benchmark] = means - means[:, :1]
    return clusters, changes


def _require_answers(cube: np.ndarray, run_ids: list[str], readings: Readings, what: str) -> None:
    lacking = readings.reached & ~np.isfinite(cube).all(axis=2)
    if lacking.any():
        run, step = np.argwhere(lacking)[0]
        missing = int((~np.isfinite(cube[run, step])).sum())
        raise UnlearningError(
            f"run {run_ids[run]} was read at step {readings.grid[step]} and {missing} of {cube.shape[2]} items have no "
            f"finite {what}, though its status is not {FAILED!r}: evaluate it again"
        )
