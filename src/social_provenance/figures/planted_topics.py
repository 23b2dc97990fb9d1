"""Recovery of the planted topics: their z among all topics."""

from __future__ import annotations

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import style
from social_provenance.regions.grid import TOPIC_NAMES


def draw_planted(topics: Table, evaluation: Evaluation, method: str) -> Figure:
    """Draw the topics of each benchmark by z, the planted ones in colour.

    Args:
        topics: Table ``planted_topics``.
        evaluation: Order of the benchmarks.
        method: Method of the scores.
    """
    import plotly.graph_objects as go

    figure, places = style.panels(evaluation.benchmarks, horizontal_spacing=0.22, vertical_spacing=0.08)
    of_method = topics[topics["method"] == method]
    for benchmark, (row, column) in zip(evaluation.benchmarks, places, strict=True):
        table = of_method[of_method["benchmark"] == benchmark.name].sort_values("z")
        for planted, colour in ((False, "found"), (True, "planted")):
            part = table[table["planted"] == planted]
            trace = go.Scatter(
                x=part["z"],
                y=part["topic"].map(TOPIC_NAMES),
                mode="markers",
                name="planted" if planted else "not planted",
                legendgroup=str(planted),
                showlegend=(row, column) == (1, 1),
                marker={"size": 9 if planted else 6, "color": style.COLOURS[colour]},
                error_x=style.interval_bars(part["z"], part["ci_low"], part["ci_high"]),
            )
            figure.add_trace(trace, row=row, col=column)
        names = [TOPIC_NAMES[topic] for topic in table["topic"]]
        figure.update_yaxes(categoryorder="array", categoryarray=names, row=row, col=column)
    figure.update_xaxes(title="z")
    return style.finish(figure, height=80 + 500 * places[-1][0], legend={"orientation": "h", "y": 1.05})
