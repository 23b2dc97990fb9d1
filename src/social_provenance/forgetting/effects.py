"""What the runs of a study did to the benchmarks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.answers import summarise
from social_provenance.errors import UnlearningError
from social_provenance.forgetting.run import ANSWERS, STEPS, SUMMARY, UNTOUCHED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from social_provenance.estimation.settings import Bootstrap

OUTCOMES = {"choice_logprob": "choice_logprob", "gold_logprob": "gold_logprob", "accuracy": "correct"}
"""Outcome -> column of the answers. The normalised ``choice_logprob`` comes first in a report:
accuracy saturates, and the raw log-probability moves with everything."""


@dataclass(frozen=True)
class StudyTables:
    """Tables of an unlearning study.

    Attributes:
        runs: The plan's rows with losses before and after, and the checkpoint's digest.
        evaluations: ``run_id``, ``benchmark``, ``accuracy``, ``gold_logprob``, ``choice_logprob``
            of every run and of the untouched model.
        trajectory: ``run_id``, ``step`` and what was measured at each step.
    """

    runs: pd.DataFrame
    evaluations: pd.DataFrame
    trajectory: pd.DataFrame


def gather(plan: pd.DataFrame, folders: Mapping[str, Path]) -> StudyTables:
    """Read what the runs left behind.

    Raises:
        UnlearningError: If a run of the plan is not there.
    """
    import pandas as pd

    _require_runs(plan, folders)
    summaries = [{"run_id": run_id, **json.loads((folders[run_id] / SUMMARY).read_text())} for run_id in plan["run_id"]]
    described = plan.assign(n_forget=plan["forget_ids"].map(len), n_retain=plan["retain_ids"].map(len))
    evaluations = [
        summarise(pd.read_parquet(folders[run_id] / ANSWERS)).assign(run_id=run_id)
        for run_id in [UNTOUCHED, *plan["run_id"]]
    ]
    trajectory = [pd.read_parquet(folders[run_id] / STEPS).assign(run_id=run_id) for run_id in plan["run_id"]]
    return StudyTables(
        described.drop(columns=["forget_ids", "retain_ids"]).merge(pd.DataFrame(summaries), on="run_id"),
        pd.concat(evaluations, ignore_index=True),
        pd.concat(trajectory, ignore_index=True),
    )


def measure_effects(plan: pd.DataFrame, folders: Mapping[str, Path], bootstrap: Bootstrap) -> pd.DataFrame:
    """Return the difference that influence makes, within the topic, for each benchmark.

    For each item the change against the untouched model, influence arm minus random arm with the
    same seed; the mean over items and seeds, with the interval of :func:`paired_interval`.

    Args:
        plan: The runs.
        folders: Run -> its folder.
        bootstrap: Replicates, level and seed.

    Returns:
        One row for each aligned benchmark and outcome: ``benchmark``, ``topic``, ``algorithm``,
        ``outcome``, ``influence`` and ``random`` (mean change of the arm), ``influence_minus_random``
        (negative: influential documents hurt more), ``ci_low``, ``ci_high``, ``others`` (the same
        difference on the other benchmarks, mean), ``seeds``.

    Raises:
        UnlearningError: If a run of the plan is not there.
    """
    import pandas as pd

    _require_runs(plan, folders)
    untouched = _answers(folders[UNTOUCHED])
    rows = []
    for (benchmark, topic, algorithm), runs in plan.groupby(["benchmark", "topic", "algorithm"], sort=False):
        for outcome, column in OUTCOMES.items():
            influence = _changes(runs, "influence_in_topic", folders, untouched, column)
            random = _changes(runs, "random_in_topic", folders, untouched, column)
            own = untouched.index.get_level_values("benchmark") == benchmark
            effect = _effect(influence, random, own, untouched["cluster"].to_numpy(), bootstrap)
            rows.append({"benchmark": benchmark, "topic": topic, "algorithm": algorithm, "outcome": outcome, **effect})
    return pd.DataFrame(rows)


def paired_interval(difference: np.ndarray, clusters: np.ndarray, bootstrap: Bootstrap) -> tuple[float, float]:
    """Return a percentile interval of a mean of paired differences.

    Seeds and clusters of items are resampled with replacement: items that share a context are not
    independent.

    Args:
        difference: Items x seeds.
        clusters: Cluster of each item.
        bootstrap: Replicates, level and seed.
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(bootstrap.seed)
    codes, names = pd.factorize(clusters)
    sizes = np.bincount(codes)
    sums = np.stack([np.bincount(codes, weights=column) for column in difference.T], axis=1)
    means = np.empty(bootstrap.replicates)
    for replicate in range(bootstrap.replicates):
        chosen = rng.integers(len(names), size=len(names))
        seeds = rng.integers(difference.shape[1], size=difference.shape[1:])
        means[replicate] = sums[np.ix_(chosen, seeds)].sum() / (sizes[chosen].sum() * len(seeds))
    tail = (1 - bootstrap.confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _require_runs(plan: pd.DataFrame, folders: Mapping[str, Path]) -> None:
    missing = [run_id for run_id in [UNTOUCHED, *plan["run_id"]] if run_id not in folders]
    if missing:
        raise UnlearningError(
            f"run {missing[0]} (and {len(missing) - 1} more) is not done: run the unlearning pipeline from its start"
        )


def _changes(
    runs: pd.DataFrame, arm: str, folders: Mapping[str, Path], untouched: pd.DataFrame, column: str
) -> np.ndarray:
    """Return the change of each item against the untouched model, items x seeds."""
    import numpy as np

    before = untouched[column].astype(float)
    own = runs[runs["arm"] == arm].sort_values("seed")
    changes = [_answers(folders[run_id])[column].astype(float).loc[before.index] - before for run_id in own["run_id"]]
    return np.stack([change.to_numpy() for change in changes], axis=1)


def _effect(
    influence: np.ndarray, random: np.ndarray, aligned: np.ndarray, clusters: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Any]:
    difference = influence - random
    low, high = paired_interval(difference[aligned], clusters[aligned], bootstrap)
    return {
        "influence": float(influence[aligned].mean()),
        "random": float(random[aligned].mean()),
        "influence_minus_random": float(difference[aligned].mean()),
        "ci_low": low,
        "ci_high": high,
        "others": float(difference[~aligned].mean()) if (~aligned).any() else float("nan"),
        "seeds": difference.shape[1],
    }


def _answers(folder: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(folder / ANSWERS).set_index(["benchmark", "item"])
