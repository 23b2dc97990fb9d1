"""Balance of random sets against the targeted one, before and after matching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.figures.absent import draw_absent

if TYPE_CHECKING:
    import pandas as pd

BOUND = 0.1
"""Standardised difference below which a variable counts as balanced (Austin 2009, Statistics in Medicine 28)."""
WHEN = {
    "unmatched_difference": ("all documents of the pool", "circle-open", "#2d6f9e"),
    "standardised_difference": ("matched random set", "circle", "#8a8a84"),
}


def draw_balance(balance: Table | None, evaluation: Evaluation) -> Figure:
    """Draw absolute standardised differences from the targeted set: one panel per benchmark, one point per random set.

    Args:
        balance: Table ``unlearning_balance``. None: nothing was unlearned.
        evaluation: Order of the benchmarks.
    """
    if balance is None:
        return draw_absent("unlearning")
    figure, places = style.panels(evaluation.benchmarks, horizontal_spacing=0.16, vertical_spacing=0.24)
    several = balance["scope"].nunique() > 1
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        sets = balance[balance["benchmark"] == benchmark.name]
        labels = sets["variable"] + (", " + sets["scope"] if several else "")
        for value in WHEN:
            trace = _points(sets, labels, value)
            figure.add_trace(trace.update(showlegend=(row, column) == (1, 1)), row=row, col=column)
        figure.add_vline(x=BOUND, line_width=1, line_dash="dot", line_color="#8a8a84", row=row, col=column)
        order = list(dict.fromkeys(labels))
        figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], row=row, col=column)
        figure.update_yaxes(range=[-0.6, max(len(order), 1) - 0.4], row=row, col=column)
        most = max(BOUND, *(sets[value].abs().max() for value in WHEN)) if len(sets) else BOUND
        figure.update_xaxes(range=[-0.03 * most, 1.05 * most], row=row, col=column)
    figure.update_xaxes(title="standardised difference from the influential set, absolute")
    return style.with_legend(style.finish(figure, height=110 + 220 * places[-1][0]))


def _points(sets: Table, labels: pd.Series[str], value: str) -> Any:
    import plotly.graph_objects as go

    name, symbol, colour = WHEN[value]
    return go.Scatter(
        x=sets[value].abs(),
        y=labels,
        mode="markers",
        name=name,
        legendgroup=name,
        marker={"size": 8, "symbol": symbol, "color": colour, "opacity": 0.75},
        customdata=sets["set"],
        hovertemplate="%{y}: %{x:.3f}, set %{customdata}<extra></extra>",
    )
