"""Panels fill two in a row, in the order of the benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import pytest

from social_provenance.figures import style

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation


@pytest.mark.parametrize(("count", "places"), [(1, [(1, 1)]), (2, [(1, 1), (1, 2)]), (3, [(1, 1), (1, 2), (2, 1)])])
def test_panels_fill_two_in_a_row(count: int, places: list[tuple[int, int]], evaluation: Evaluation) -> None:
    figure, found = style.panels(evaluation.benchmarks[:count])
    assert found == places
    assert figure.layout.annotations[0].text == "sr (social, reasoning)"


def test_interval_bars_are_distances_from_the_point() -> None:
    bars = style.interval_bars(np.array([1.0]), np.array([0.5]), np.array([3.0]))
    assert (bars["array"][0], bars["arrayminus"][0], bars["symmetric"]) == (2.0, 0.5, False)


def test_a_translucent_colour_keeps_its_parts() -> None:
    assert style.translucent("#b4552d", 0.25) == "rgba(180,85,45,0.25)"


def test_the_legend_stands_at_the_top_of_the_figure() -> None:
    figure = style.with_legend(style.finish(go.Figure(), height=300))
    assert figure.layout.legend.yref == "container"
    assert figure.layout.margin.t > 50
