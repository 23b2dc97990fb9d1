"""Style shared by all figures: names, colours, the grid of panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from social_provenance.annotations import Figure
from social_provenance.capabilities.benchmark import Benchmark

COLOURS = {
    "social": "#b4552d",
    "stem": "#2d6f9e",
    "planted": "#b4552d",
    "decoy": "#2b2b28",
    "twin": "#2d6f9e",
    "other": "#b9b9b2",
}
ARM_COLOURS = {
    "influence_in_topic": "#b4552d",
    "random_in_topic": "#8a8a84",
    "influence_global": "#b4552d",
    "random_global": "#8a8a84",
}
DIVERGING = [[0.0, "#2d6f9e"], [0.5, "#f7f6f2"], [1.0, "#b4552d"]]
EMPTY = "#d9d8d2"
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


def title_of(benchmark: Benchmark) -> str:
    """Return the heading of a benchmark's panel."""
    return f"{benchmark.name} ({benchmark.domain}, {benchmark.level})"


def panels(benchmarks: Sequence[Benchmark], **options: Any) -> tuple[Figure, list[tuple[int, int]]]:
    """Return a figure with one panel per benchmark, two per row, and the (row, column) of each."""
    from plotly.subplots import make_subplots

    columns = min(2, len(benchmarks))
    rows = -(-len(benchmarks) // columns)
    titles = [title_of(benchmark) for benchmark in benchmarks]
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles, **options)
    return figure, [(place // columns + 1, place % columns + 1) for place in range(len(benchmarks))]


def finish(figure: Figure, height: int, **layout: Any) -> Figure:
    """Apply the common layout to a figure; ``height`` in pixels."""
    figure.update_layout(
        template="plotly_white",
        height=height,
        font={"family": FONT, "size": 12, "color": "#2b2b28"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        **layout,
    )
    figure.update_annotations(font_size=13)
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def with_legend(figure: Figure) -> Figure:
    """Place the legend above the panel headings, at any height of the figure."""
    legend = {"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0}
    return figure.update_layout(legend=legend, margin_t=90)


def translucent(colour: str, opacity: float) -> str:
    """Return a colour, ``#rrggbb``, with the given opacity."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def interval_bars(point: Any, low: Any, high: Any) -> dict[str, Any]:
    """Return Plotly's error bars for an interval, which may be asymmetric."""
    return {"type": "data", "symmetric": False, "array": high - point, "arrayminus": point - low, "thickness": 1.2}
