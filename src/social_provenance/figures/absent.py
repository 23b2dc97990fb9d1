"""The figure of what was not computed."""

from __future__ import annotations

from social_provenance.annotations import Figure
from social_provenance.figures import style


def draw_absent(pipeline: str) -> Figure:
    """Draw, in place of a figure, that a pipeline was not run, and the command that runs it.

    Args:
        pipeline: Name of the pipeline whose tables are missing.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_annotation(
        text=f"not run: kedro run --pipelines {pipeline},reporting", showarrow=False, font={"size": 15}
    )
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return style.finish(figure, height=160)
