"""Metrics of an unlearning study: curves of each run, effects of the study."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

SCORES = ("choice_logprob", "accuracy", "gold_logprob")
OUTCOMES = (PRIMARY, "accuracy")
ESTIMATES = ("did", "did_p", "influence_minus_random", "p")
"""Columns of the effects that become metrics of the study; the table has all others."""
EFFECTS = "effects"
"""Prefix before a slash, which MLflow shows as a heading: effects get charts separate from curves."""
LOSS, PERPLEXITY = "_loss", "_perplexity"
LARGEST_LOSS = 700.0
"""Loss above which the perplexity overflows, nats per token."""


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Attributes:
        name: Name of the curve.
        value: Finite value.
        step: Optimiser step, 0 before the first.
    """

    name: str
    value: float
    step: int


def losses(trajectory: pd.DataFrame) -> Iterator[Point]:
    """Yield the losses of a run's evaluations and their perplexities ``exp(loss)``.

    Args:
        trajectory: ``step`` and losses, nats per token.
    """
    for point in measured(trajectory):
        yield point
        if point.name.endswith(LOSS) and point.value < LARGEST_LOSS:
            yield Point(point.name.removesuffix(LOSS) + PERPLEXITY, math.exp(point.value), point.step)


def measured(table: pd.DataFrame, prefix: str = "") -> Iterator[Point]:
    """Yield every finite value of a run's table by step.

    Args:
        table: ``step`` and columns of numbers.
        prefix: Prefix of the column names.
    """
    for row in rows(table.drop(columns="run_id", errors="ignore")):
        step = int(row.pop("step"))
        yield from (Point(prefix + name, float(value), step) for name, value in row.items() if math.isfinite(value))


def scores(evaluations: pd.DataFrame, aligned: str) -> Iterator[Point]:
    """Yield the scores of every benchmark, and again as ``aligned`` and ``others``, comparable across all runs.

    Args:
        evaluations: ``step``, ``benchmark`` and :data:`SCORES`, from step 0.
        aligned: The benchmark whose influential documents are forgotten; ``others`` is the mean of the rest.
    """
    for row in rows(evaluations):
        step, benchmark = int(row["step"]), row["benchmark"]
        names = (benchmark, "aligned") if benchmark == aligned else (benchmark,)
        yield from (Point(f"{name}.{score}", float(row[score]), step) for name in names for score in SCORES)
    rest = evaluations[evaluations["benchmark"] != aligned].groupby("step")[list(SCORES)].mean()
    yield from measured(rest.reset_index(), "others.")


def effects_of(effects: pd.DataFrame) -> Iterator[Point]:
    """Yield the effects at equal compute, as ``effects/`` and benchmark, topic (or ``global``), algorithm and outcome.

    Args:
        effects: Of :func:`social_provenance.forgetting.effects.tables.measure_effects`.
    """
    chosen = effects[(effects["reading"] == EQUAL_COMPUTE) & effects["outcome"].isin(OUTCOMES)]
    for row in rows(chosen):
        name = f"{EFFECTS}/{row['benchmark']}.{row.get('topic', 'global')}.{row['algorithm']}.{row['outcome']}"
        yield from (Point(f"{name}.{estimate}", float(row[estimate]), 0) for estimate in ESTIMATES if estimate in row)


def rows(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Yield the rows of a table as mappings without null values."""
    import pandas as pd

    for row in table.to_dict("records"):
        yield {str(name): value for name, value in row.items() if isinstance(value, list) or not pd.isna(value)}
