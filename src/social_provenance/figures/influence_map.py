"""The map of 576 bins, one panel per benchmark."""

from __future__ import annotations

import numpy as np

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.regions.grid import FORMAT_NAMES, FORMATS, TOPIC_NAMES, TOPICS

LIMIT_QUANTILE = 0.99
"""Quantile of |z| at which colours saturate, because one extreme bin would fade all others."""


def draw_influence(bins: Table, evaluation: Evaluation, method: str) -> Figure:
    """Draw z of every bin (topics x formats); bins without documents are grey.

    Args:
        bins: Table ``bin_influence``.
        evaluation: Order and cells of the benchmarks.
        method: Method of the scores.
    """
    import plotly.graph_objects as go

    of_method = bins[bins["method"] == method]
    limit = float(of_method["z"].abs().quantile(LIMIT_QUANTILE)) or 1.0
    figure, places = style.panels(
        evaluation.benchmarks, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.06
    )
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        table = of_method[of_method["benchmark"] == benchmark.name]
        z, hover = _grid(table, "z"), _hover(table)
        heat = go.Heatmap(
            z=z,
            x=list(FORMAT_NAMES.values()),
            y=list(TOPIC_NAMES.values()),
            colorscale=style.DIVERGING,
            zmin=-limit,
            zmax=limit,
            text=hover,
            hovertemplate="%{text}<extra></extra>",
            showscale=(row, column) == (1, 1),
            colorbar={"title": "z", "len": 0.5},
            xgap=1,
            ygap=1,
        )
        figure.add_trace(heat, row=row, col=column)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickangle=-60)
    style.finish(figure, height=120 + 470 * places[-1][0])
    return figure.update_layout(plot_bgcolor=style.EMPTY)


def _grid(table: Table, column: str) -> np.ndarray:
    wide = table.pivot(index="topic", columns="format", values=column)
    grid: np.ndarray = wide.loc[list(TOPICS), list(FORMATS)].to_numpy()
    return grid


def _hover(table: Table) -> np.ndarray:
    texts = []
    for row in table.itertuples():
        found = f"z {row.z:+.2f} [{row.ci_low:+.2f}, {row.ci_high:+.2f}]<br>{row.n_documents} documents"
        name = f"{TOPIC_NAMES[str(row.topic)]} × {FORMAT_NAMES[str(row.format)]}"
        texts.append(f"{name}<br>{found if row.n_documents else 'no documents'}")
    return _grid(table.assign(text=texts), "text")
