"""Confusion matrices and reliability curves of the classifier of topics and formats."""

from __future__ import annotations

from social_provenance.annotations import Figure, Table
from social_provenance.figures import style
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES

NAMES = {"topic": TOPIC_NAMES, "format": FORMAT_NAMES}
SEQUENTIAL = [[0.0, "#f7f6f2"], [0.15, "#d8e4ec"], [1.0, "#2d6f9e"]]


def draw_labels(confusion: Table, reliability: Table) -> Figure:
    """Draw reliability curves above confusion matrices; without data, a figure without traces.

    Args:
        confusion: Table ``classifier_confusion``.
        reliability: Table ``classifier_reliability``.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    if confusion.empty:
        return style.finish(go.Figure(), height=120)
    titles = ("Topics: reliability of labels", "Formats: reliability of labels")
    figure = make_subplots(
        rows=2,
        cols=2,
        row_heights=[0.3, 0.7],
        vertical_spacing=0.09,
        horizontal_spacing=0.16,
        subplot_titles=(*titles, "Topics: predicted labels (across) by given labels", "Formats: the same"),
    )
    for column, axis in enumerate(NAMES, start=1):
        _curve(figure, reliability[reliability["axis"] == axis], column)
        _matrix(figure, confusion[confusion["axis"] == axis], axis, column)
    return style.finish(figure, height=980, showlegend=False)


def _curve(figure: Figure, curve: Table, column: int) -> None:
    import plotly.graph_objects as go

    diagonal = {"x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip"}
    figure.add_trace(go.Scatter(**diagonal, line={"color": "#b8b7b0", "dash": "dot"}), row=1, col=column)
    points = go.Scatter(
        x=curve["confidence"],
        y=curve["accuracy"],
        mode="lines+markers",
        marker={"size": 4 + 14 * (curve["n_documents"] / curve["n_documents"].max()) ** 0.5},
        line={"color": style.COLOURS["stem"]},
        customdata=curve[["n_documents"]],
        hovertemplate="confidence %{x:.2f}, accuracy %{y:.2f}, %{customdata[0]} documents<extra></extra>",
    )
    figure.add_trace(points, row=1, col=column)
    figure.update_xaxes(title="confidence", range=[0, 1], row=1, col=column)
    figure.update_yaxes(title="accuracy", range=[0, 1], row=1, col=column)


def _matrix(figure: Figure, pairs: Table, axis: str, column: int) -> None:
    import plotly.graph_objects as go

    labels = sorted({*pairs["given"], *pairs["said"]})
    counts = pairs.pivot_table(index="given", columns="said", values="n_documents", fill_value=0)
    counts = counts.reindex(index=labels, columns=labels, fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    names = [NAMES[axis][label] for label in labels]
    trace = go.Heatmap(
        z=shares.to_numpy(),
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        colorscale=SEQUENTIAL,
        showscale=False,
        customdata=counts.to_numpy(),
        hovertemplate="given %{y}, predicted %{x}: %{z:.0%} (%{customdata} documents)<extra></extra>",
    )
    figure.add_trace(trace, row=2, col=column)
    figure.update_xaxes(tickangle=-60, tickfont_size=10, row=2, col=column)
    figure.update_yaxes(autorange="reversed", tickfont_size=10, row=2, col=column)
