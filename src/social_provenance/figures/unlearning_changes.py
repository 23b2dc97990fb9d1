"""What unlearning did to every benchmark, by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.figures import style
from social_provenance.forgetting.gather import UNTOUCHED
from social_provenance.forgetting.settings import ARMS
from social_provenance.regions.grid import TOPIC_NAMES

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from social_provenance.capabilities.benchmark import Evaluation

OUTCOME = "gold_logprob"


def draw(runs: pd.DataFrame, evaluations: pd.DataFrame, evaluation: Evaluation) -> go.Figure:
    """Draw the change of the gold log-probability; a panel an aligned benchmark, a point a run.

    Args:
        runs: Table ``unlearning_runs``.
        evaluations: Table ``unlearning_evaluations``.
        evaluation: Order of the benchmarks.
    """
    figure, places = style.panels(evaluation.benchmarks, horizontal_spacing=0.16, vertical_spacing=0.16)
    changes = changes_of_runs(runs, evaluations)
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        own = changes[changes["aligned"] == benchmark.name]
        for arm in ARMS:
            figure.add_trace(_points(own[own["arm"] == arm], arm, legend=(row, column) == (1, 1)), row=row, col=column)
        figure.add_vline(x=0, line_width=1, line_color="#8a8a84", row=row, col=column)
        figure.update_xaxes(range=_range(own["change"]), row=row, col=column)
        names = [other.name for other in evaluation.benchmarks]
        figure.update_yaxes(
            categoryorder="array", categoryarray=names[::-1], range=[-0.6, len(names) - 0.4], row=row, col=column
        )
        topic = ", ".join(TOPIC_NAMES[name] for name in own["topic"].unique())
        figure.layout.annotations[evaluation.benchmarks.index(benchmark)].text = f"forget {topic}, for {benchmark.name}"
    figure.update_xaxes(title="change, nats")
    return style.finish(
        figure,
        height=90 + 260 * places[-1][0],
        legend={"orientation": "h", "y": 1.12},
        scattermode="group",
    )


def changes_of_runs(runs: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    """Return ``aligned``, ``topic``, ``arm``, ``seed``, ``benchmark``, ``change`` against the untouched model."""
    before = evaluations[evaluations["run_id"] == UNTOUCHED].set_index("benchmark")[OUTCOME]
    named = runs.rename(columns={"benchmark": "aligned"})[["run_id", "aligned", "topic", "arm", "seed"]]
    after = evaluations.merge(named, on="run_id")
    return after.assign(change=after[OUTCOME] - after["benchmark"].map(before))


def _range(changes: pd.Series[float]) -> list[float]:
    """Return the ends of an axis that holds zero and every change, with some room."""
    low, high = min(0.0, changes.min()), max(0.0, changes.max())
    room = 0.06 * (high - low) or 1.0
    return [low - room, high + room]


def _points(changes: pd.DataFrame, arm: str, *, legend: bool) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=changes["change"],
        y=changes["benchmark"],
        mode="markers",
        name=arm,
        legendgroup=arm,
        offsetgroup=arm,
        orientation="h",
        showlegend=legend,
        marker={"size": 8, "color": style.ARM_COLOURS[arm], "opacity": 0.75},
        customdata=changes["seed"],
        hovertemplate="%{y}: %{x:+.3f} nats, seed %{customdata}<extra></extra>",
    )
