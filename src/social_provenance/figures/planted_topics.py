"""Recovery of the planted topics: their z beside that of decoys and of the other topics, by each method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.gradients.methods.registry import is_baseline
from social_provenance.regions.grid import TOPIC_NAMES

if TYPE_CHECKING:
    import pandas as pd

MARKS = {
    "other": ("circle", 6, 0.0),
    "twin": ("diamond-open", 8, 0.0),
    "decoy": ("x", 7, 0.18),
    "planted": ("circle", 9, -0.18),
}
"""Role of a topic -> symbol, size in pixels, and offset from the line of its method; drawn in this order."""


def draw_planted(topics: Table, evaluation: Evaluation, method: str) -> Figure:
    """Draw z of every topic by every method, in groups: planted, decoys, twins, others.

    Args:
        topics: Table ``planted_topics``.
        evaluation: Order of the benchmarks.
        method: Default method, which comes first.
    """
    names = list(topics["method"].drop_duplicates())
    baselines = [name for name in names if is_baseline(name)]
    order = [method, *(name for name in names if name not in (method, *baselines)), *baselines]
    figure, places = style.panels(evaluation.benchmarks, horizontal_spacing=0.14, vertical_spacing=0.1)
    shown: set[str] = set()
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        of_benchmark = topics[topics["benchmark"] == benchmark.name]
        for role in MARKS:
            part = of_benchmark[of_benchmark["role"] == role]
            if len(part):
                figure.add_trace(_trace(part, role, order, showlegend=role not in shown), row=row, col=column)
                shown.add(role)
        figure.update_yaxes(
            tickvals=list(range(len(order))),
            ticktext=[f"{name} (no gradient)" if name in baselines else name for name in order],
            range=[len(order) - 0.4, -0.6],
            row=row,
            col=column,
        )
    figure.update_xaxes(title="z among the 24 topics", zeroline=True)
    return style.with_legend(style.finish(figure, height=110 + (80 + 34 * len(order)) * places[-1][0]))


def _trace(topics: pd.DataFrame, role: str, order: list[str], *, showlegend: bool) -> Any:
    import plotly.graph_objects as go

    symbol, size, offset = MARKS[role]
    return go.Scatter(
        x=topics["z"],
        y=topics["method"].map({name: place + offset for place, name in enumerate(order)}),
        text=topics["topic"].map(TOPIC_NAMES),
        hovertemplate="%{text}: %{x:.2f}",
        mode="markers",
        name=role,
        legendgroup=role,
        showlegend=showlegend,
        marker={"size": size, "symbol": symbol, "color": style.COLOURS[role], "opacity": 0.9},
    )
