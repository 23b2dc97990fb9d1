"""Tables of an unlearning study, gathered from the folders of its runs."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.answers import summarise
from social_provenance.errors import UnlearningError
from social_provenance.forgetting.runs.run import ANSWERS, HELD_OUT, STEPS, SUMMARY, TRAJECTORY
from social_provenance.forgetting.vocabulary import DONE, IDS, UNTOUCHED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyTables:
    """Tables of a study's runs, each with ``run_id``.

    Attributes:
        runs: The plan's rows without their documents, ``n_forget``, ``n_retain``, ``status``,
            ``last_step``, ``reason``, ``checkpoint``.
        trajectory: ``step``, losses (see :func:`social_provenance.forgetting.runs.evaluation.tabulate`).
        held_out: ``step``, ``topic``, ``format``, ``loss``.
        steps: ``step`` and the measurements of the algorithm.
        answers: ``step`` and the answer to each item.
        evaluations: ``step`` and the means of each benchmark; also of run ``untouched``.
    """

    runs: pd.DataFrame
    trajectory: pd.DataFrame
    held_out: pd.DataFrame
    steps: pd.DataFrame
    answers: pd.DataFrame
    evaluations: pd.DataFrame


def gather_tables(plan: pd.DataFrame, folders: Mapping[str, Path], max_unfinished_share: float = 1.0) -> StudyTables:
    """Read the folders of runs, and warn of those that did not come to their end.

    Args:
        plan: Of :func:`social_provenance.forgetting.design.plan.list_runs`.
        folders: Run id -> its folder.
        max_unfinished_share: Share of runs that may end as failed or stopped.

    Raises:
        UnlearningError: If a run of the plan has no folder, or more than that share did not come to their end.
    """
    import pandas as pd

    missing = [run_id for run_id in plan["run_id"] if run_id not in folders]
    if missing:
        raise UnlearningError(
            f"run {missing[0]} (and {len(missing) - 1} more) is not done: run the unlearning pipeline from its start"
        )

    def together(name: str) -> pd.DataFrame:
        tables = [pd.read_parquet(folders[run_id] / name).assign(run_id=run_id) for run_id in plan["run_id"]]
        joined = pd.concat(tables, ignore_index=True)
        return joined[["run_id", "step", *joined.columns.drop(["run_id", "step"])]]

    described = plan.assign(n_forget=plan["forget_ids"].map(len), n_retain=plan["retain_ids"].map(len))
    ends = [{"run_id": run_id, **json.loads((folders[run_id] / SUMMARY).read_text())} for run_id in plan["run_id"]]
    _report_unfinished(ends, max_unfinished_share)
    answers = together(ANSWERS)
    return StudyTables(
        described.drop(columns=list(IDS)).merge(pd.DataFrame(ends), on="run_id"),
        together(TRAJECTORY),
        together(HELD_OUT),
        together(STEPS),
        answers,
        _evaluate(answers),
    )


def _report_unfinished(ends: Sequence[Mapping[str, Any]], max_share: float) -> None:
    unfinished = [end for end in ends if end["status"] != DONE]
    if not unfinished:
        return
    first = unfinished[0]
    said = (
        f"{len(unfinished)} of {len(ends)} unlearning runs did not come to their end, and have no effect; the first, "
        f"{first['run_id']}, is {first['status']}: {first['reason']}"
    )
    if len(unfinished) > max_share * len(ends):
        raise UnlearningError(
            f"{said}; lower unlearning.optimiser.learning_rate, or allow more by unlearning.max_unfinished_share"
        )
    logger.warning("%s; unlearning.max_unfinished_share makes this an error", said)


def _evaluate(answers: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    first = answers["run_id"].iloc[0]
    untouched = answers[(answers["run_id"] == first) & (answers["step"] == 0)].assign(run_id=UNTOUCHED)
    groups = pd.concat([untouched, answers[answers["step"] > 0]]).groupby(["run_id", "step"], sort=False)
    tables = [summarise(own).assign(run_id=run_id, step=step) for (run_id, step), own in groups]
    joined = pd.concat(tables, ignore_index=True)
    return joined[["run_id", "step", *joined.columns.drop(["run_id", "step"])]]
