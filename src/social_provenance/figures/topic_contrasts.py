"""Social minus STEM by topic, at both levels, with intervals."""

from __future__ import annotations

from social_provenance.annotations import Figure, Table
from social_provenance.figures import style
from social_provenance.regions.grid import TOPIC_NAMES

LEVELS = {"reasoning": "circle", "knowledge": "diamond-open"}


def draw_contrasts(contrasts: Table, method: str) -> Figure:
    """Draw the contrast of each topic; topics in the order of the reasoning contrast.

    Args:
        contrasts: Table ``contrasts``.
        method: Method of the scores.
    """
    import plotly.graph_objects as go

    topics = contrasts[(contrasts["method"] == method) & (contrasts["axis"] == "topic")]
    figure = go.Figure()
    order: list[str] = []
    for level, symbol in LEVELS.items():
        table = topics[topics["kind"] == level].dropna(subset="difference").sort_values("difference")
        order = order or [TOPIC_NAMES[topic] for topic in table["topic"]]
        trace = go.Scatter(
            x=table["difference"],
            y=table["topic"].map(TOPIC_NAMES),
            mode="markers",
            name=level,
            marker={"symbol": symbol, "size": 8, "color": style.COLOURS["social" if level == "reasoning" else "stem"]},
            error_x=style.interval_bars(table["difference"], table["ci_low"], table["ci_high"]),
        )
        figure.add_trace(trace)
    figure.add_vline(x=0, line_width=1, line_color="#8a8a84")
    figure.update_yaxes(categoryorder="array", categoryarray=order)
    figure.update_xaxes(title="← STEM        difference of z        social →")
    return style.finish(figure, height=680, legend={"orientation": "h", "y": 1.06})
