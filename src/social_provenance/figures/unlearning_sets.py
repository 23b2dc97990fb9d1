"""The targeted set of every contrast among its random sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.figures.absent import draw_absent
from social_provenance.forgetting.vocabulary import ARMS, CONTRAST, EQUAL_COMPUTE, PRIMARY
from social_provenance.regions.grid import TOPIC_NAMES

SPECIFIC, OTHERS = "aligned − others", "others"
MARKERS = (("random set", "circle", 1, 0.75), ("influential set, mean over order seeds", "diamond", 0, 1.0))
"""Legend, symbol, index of the arm in its scope, opacity."""


def draw_unlearning(sets: Table | None, evaluation: Evaluation) -> Figure:
    """Draw what each set of documents does to the aligned benchmark beyond the others, and to either: a point per set.

    The distance of the influential set from the mean of the random ones on the first line is the difference in
    differences.

    Args:
        sets: Table ``unlearning_sets``; the primary outcome at equal compute is shown. None: nothing was unlearned.
        evaluation: Order of the benchmarks.
    """
    if sets is None:
        return draw_absent("unlearning")
    table = changes_of_sets(sets)
    rows = int(table.groupby("benchmark")["label"].nunique().max()) if len(table) else 1
    figure, places = style.panels(evaluation.benchmarks, horizontal_spacing=0.16, vertical_spacing=0.22)
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        own = table[table["benchmark"] == benchmark.name]
        for name, symbol, place, opacity in MARKERS:
            arms = [pair[place] for pair in ARMS.values()]
            points = own[own["arm"].isin(arms)]
            trace = _points(points, name, symbol, style.ARM_COLOURS[arms[0]], opacity)
            figure.add_trace(trace.update(showlegend=(row, column) == (1, 1)), row=row, col=column)
        figure.add_vline(x=0, line_width=1, line_color="#8a8a84", row=row, col=column)
        labels = list(dict.fromkeys(own["label"]))
        figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], row=row, col=column)
        figure.update_yaxes(range=[-0.6, max(len(labels), 1) - 0.4], row=row, col=column)
        ends = np.array([0.0, *own["change"]])
        room = 0.08 * float(np.ptp(ends)) or 1.0
        figure.update_xaxes(range=[ends.min() - room, ends.max() + room], row=row, col=column)
    figure.update_xaxes(title="change of the normalised gold log-probability, nats")
    return style.with_legend(style.finish(figure, height=places[-1][0] * (150 + 34 * rows) + 80))


def changes_of_sets(sets: Table) -> Table:
    """Return the change of every set on the aligned benchmark, on the mean of the others, and their difference.

    Args:
        sets: Table ``unlearning_sets``.

    Returns:
        ``benchmark``, ``label``, ``arm``, ``set``, ``change``; the difference first, where there are others.
    """
    import pandas as pd

    own = sets[(sets["outcome"] == PRIMARY) & (sets["reading"] == EQUAL_COMPUTE)]
    labels = own["topic"].map(TOPIC_NAMES).fillna("all topics")
    if own["algorithm"].nunique() > 1:
        labels = labels + ", " + own["algorithm"]
    keys = [*CONTRAST, "label", "arm", "set"]
    aligned = own["measured"] == own["benchmark"]
    own = own.assign(label=labels)
    means = [part.groupby(keys, dropna=False, sort=False)["change"].mean() for part in (own[aligned], own[~aligned])]
    lines = {f": {SPECIFIC}": (means[0] - means[1]).dropna(), "": means[0], f": {OTHERS}": means[1]}
    tables = []
    for line, (end, changes) in enumerate(lines.items()):
        part = changes.reset_index()
        tables.append(part.assign(label=part["label"] + end, line=line))
    table = pd.concat(tables).sort_values([*CONTRAST, "line"], kind="stable", ignore_index=True)
    return pd.DataFrame(table[["benchmark", "label", "arm", "set", "change"]])


def _points(points: Table, name: str, symbol: str, colour: str, opacity: float) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=points["change"],
        y=points["label"],
        mode="markers",
        name=name,
        legendgroup=name,
        marker={"size": 11 if symbol == "diamond" else 8, "symbol": symbol, "color": colour, "opacity": opacity},
        customdata=points["set"],
        hovertemplate="%{y}: %{x:+.3f} nats, set %{customdata}<extra></extra>",
    )
