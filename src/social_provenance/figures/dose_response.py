"""Dose-response curves of the aligned benchmark, by steps or by the rise of the forget loss."""

from __future__ import annotations

from typing import Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.figures.absent import draw_absent
from social_provenance.forgetting.vocabulary import CONTRAST, PRIMARY
from social_provenance.regions.grid import TOPIC_NAMES

VIEWS = {"step": "optimiser steps", "forget_rise": "rise of the forget loss, nats per token"}
COLUMNS = 2


def draw_dose_response(doses: Table | None, evaluation: Evaluation) -> Figure:
    """Draw the primary outcome against the dose: one panel per contrast, one line per arm, its runs as a band.

    Buttons switch the x axis to the rise of the forget loss.

    Args:
        doses: Table ``unlearning_dose_response``. None: nothing was unlearned.
        evaluation: Order of the benchmarks.
    """
    if doses is None:
        return draw_absent("unlearning")
    from plotly.subplots import make_subplots

    rank = {benchmark.name: position for position, benchmark in enumerate(evaluation.benchmarks)}
    shown = doses[(doses["outcome"] == PRIMARY) & doses["benchmark"].isin(rank)]
    shown = shown.sort_values(["benchmark", "step"], key=lambda values: values.replace(rank), kind="stable")
    contrasts = list(shown.groupby(list(CONTRAST), dropna=False, sort=False))
    rows = max(1, -(-len(contrasts) // COLUMNS))
    titles = [title_of(table) for _, table in contrasts]
    figure = make_subplots(rows=rows, cols=COLUMNS, subplot_titles=titles, vertical_spacing=0.3 / rows)
    views: dict[str, list[list[float]]] = {view: [] for view in VIEWS}
    known: set[str] = set()
    for panel, (_, table) in enumerate(contrasts):
        for arm, points in table.groupby("arm"):
            name = str(arm)
            for trace in _traces(points, name, legend=name not in known):
                figure.add_trace(trace, row=panel // COLUMNS + 1, col=panel % COLUMNS + 1)
            known.add(name)
            for view, xs in views.items():
                along = points[view].tolist()
                xs += [along + along[::-1], along]
    figure.update_yaxes(title="change, nats")
    figure.update_xaxes(title=VIEWS["step"])
    figure = style.with_legend(style.finish(figure, height=110 + 290 * rows))
    return figure.update_layout(updatemenus=[_menu(views, len(contrasts))]) if contrasts else figure


def title_of(contrast: Table) -> str:
    """Return the heading of a contrast's panel."""
    first = contrast.iloc[0]
    where = TOPIC_NAMES.get(first["topic"], "all topics")
    return f"forget {where}, for {first['benchmark']} ({first['algorithm']})"


def _traces(points: Table, arm: str, *, legend: bool) -> list[Any]:
    import plotly.graph_objects as go

    colour, steps = style.ARM_COLOURS[arm], points["step"].tolist()
    band = go.Scatter(
        x=steps + steps[::-1],
        y=points["low"].tolist() + points["high"].tolist()[::-1],
        mode="lines",
        fill="toself",
        fillcolor=style.translucent(colour, 0.18),
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=arm,
        showlegend=False,
    )
    line = go.Scatter(
        x=steps,
        y=points["mean"],
        mode="lines+markers",
        name=arm,
        legendgroup=arm,
        showlegend=legend,
        line={"color": colour},
        customdata=points[["step", "forget_rise", "runs"]],
        hovertemplate="step %{customdata[0]}, forget loss %{customdata[1]:+.3f}: %{y:+.3f} nats, "
        "%{customdata[2]} runs<extra></extra>",
    )
    return [band, line]


def _menu(views: dict[str, list[list[float]]], panels: int) -> dict[str, Any]:
    axes = [f"xaxis{number if number > 1 else ''}.title.text" for number in range(1, panels + 1)]
    buttons = [
        {"label": VIEWS[view], "method": "update", "args": [{"x": xs}, dict.fromkeys(axes, VIEWS[view])]}
        for view, xs in views.items()
    ]
    layout = {"direction": "right", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 30}}
    return {"type": "buttons", **layout, "buttons": buttons}
