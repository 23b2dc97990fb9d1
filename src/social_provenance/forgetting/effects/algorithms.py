"""Comparison of unlearning algorithms over their contrasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE, FAILED, PLAIN, PRIMARY, SPECIFIC, STOPPED

if TYPE_CHECKING:
    import pandas as pd

BY = ("algorithm", "scope")
COUNTS = {SPECIFIC: ("did_hurt_more", "did_beyond_every_random_set"),
          PLAIN: ("aligned_hurt_more", "beyond_every_random_set")}  # fmt: skip
"""Measure -> columns that count its contrasts with more damage than random sets do on average, than each does."""
ALGORITHM_COLUMNS = (
    *BY, "contrasts", "did_hurt_more", "did_beyond_every_random_set", "did", "aligned_hurt_more",
    "beyond_every_random_set", "influence_minus_random", "forget_rise", "retain_rise", "heldout_rise", "runs",
    "stopped", "failed",
)  # fmt: skip


def compare_algorithms(effects: pd.DataFrame, runs: pd.DataFrame, trajectory: pd.DataFrame) -> pd.DataFrame:
    """Compare algorithms at equal compute, by the primary outcome.

    Args:
        effects: Table ``unlearning_effects``.
        runs: Table ``unlearning_runs``.
        trajectory: Table ``unlearning_trajectory``.

    Returns:
        One row per algorithm and scope. ``contrasts``: those with an estimate. ``did_hurt_more``,
        ``did_beyond_every_random_set``: how many of them have more damage that is specific to the aligned
        benchmark by influential documents than by random ones on average, and than by every random set;
        ``aligned_hurt_more``, ``beyond_every_random_set``: the same of the damage to the aligned benchmark.
        ``did``, ``influence_minus_random``: means over them.
        ``forget_rise``, ``retain_rise``, ``heldout_rise`` (of the bin that rose most): mean rises of losses,
        nats per token, at the last step of each run that did not fail. ``runs``, ``stopped``, ``failed``: counts.
    """
    import pandas as pd

    primary = effects[(effects["outcome"] == PRIMARY) & (effects["reading"] == EQUAL_COMPUTE)]
    known = primary[primary[PLAIN.value].notna()]
    for measure, (more, beyond) in COUNTS.items():
        known = known.assign(**{more: known[measure.value] < 0, beyond: known[measure.n_less] == known["n_random"]})
    groups = known.groupby(list(BY))
    judged = [name for pair in COUNTS.values() for name in pair]
    contrasts = groups[judged].sum().join(groups[[measure.value for measure in COUNTS]].mean())
    contrasts = contrasts.assign(contrasts=groups.size())
    counted = runs.assign(stopped=runs["status"] == STOPPED, failed=runs["status"] == FAILED)
    counted = counted.groupby(list(BY)).agg(
        runs=("run_id", "size"), stopped=("stopped", "sum"), failed=("failed", "sum")
    )
    table = counted.join([contrasts, _rises(runs, trajectory)]).reset_index()
    whole = ["contrasts", *judged]
    return pd.DataFrame(table.assign(**table[whole].fillna(0).astype(int))[list(ALGORITHM_COLUMNS)])


def _rises(runs: pd.DataFrame, trajectory: pd.DataFrame) -> pd.DataFrame:
    steps = trajectory.sort_values("step").groupby("run_id")[["forget_loss", "retain_loss", "heldout_rise"]]
    first, last = steps.first(), steps.last()
    rises = (last - first).rename(columns={"forget_loss": "forget_rise", "retain_loss": "retain_rise"})
    kept = runs[runs["status"] != FAILED][["run_id", *BY]]
    return kept.merge(rises.reset_index(), on="run_id").groupby(list(BY))[list(rises)].mean()
