"""Dose-response: change of the aligned benchmark at every evaluated step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.forgetting.vocabulary import CONTRAST, FAILED, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.forgetting.effects.changes import RunTables

DOSE_COLUMNS = (
    *CONTRAST, "arm", "step", "outcome", "mean", "low", "high", "forget_rise", "heldout_rise", "runs",
)  # fmt: skip


def dose_response(measured: RunTables) -> pd.DataFrame:
    """Return the change of the aligned benchmark at every step of the grid, for each arm.

    Args:
        measured: Tables of the study; ``trajectory`` also has ``heldout_rise``.

    Returns:
        One row per contrast, arm, step and outcome: ``mean``, ``low`` and ``high`` (least and largest) over
        the arm's runs of the mean change over items; mean ``forget_rise`` and ``heldout_rise`` (nats per
        token, the latter of the bin that rose most); ``runs``. A run that was stopped is in the steps that
        it reached; a failed one in none.
    """
    import pandas as pd

    named = [*CONTRAST, "arm"]
    runs = measured.runs[measured.runs["status"] != FAILED]
    aligned = runs[["run_id", "benchmark"]].merge(measured.answers, on=["run_id", "benchmark"])
    means = aligned.groupby(["run_id", "step"])[list(OUTCOMES.values())].mean()
    changes = means - means.groupby("run_id").transform("first")  # steps are sorted: the first is 0
    changes = changes.rename(columns={column: outcome for outcome, column in OUTCOMES.items()})
    losses = measured.trajectory.sort_values(["run_id", "step"]).set_index(["run_id", "step"])
    rises = losses[["heldout_rise"]].assign(
        forget_rise=losses["forget_loss"] - losses.groupby("run_id")["forget_loss"].transform("first")
    )
    both = changes.join(rises, how="inner").reset_index().merge(runs[["run_id", *named]], on="run_id")
    long = both.melt([*named, "run_id", "step", "forget_rise", "heldout_rise"], list(OUTCOMES), "outcome", "change")
    grouped = long.groupby([*named, "outcome", "step"], dropna=False, sort=True)
    table = grouped.agg(
        mean=("change", "mean"),
        low=("change", "min"),
        high=("change", "max"),
        forget_rise=("forget_rise", "mean"),
        heldout_rise=("heldout_rise", "mean"),
        runs=("run_id", "nunique"),
    ).reset_index()
    return pd.DataFrame(table[list(DOSE_COLUMNS)])
