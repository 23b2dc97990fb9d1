"""Topics stand in the order of the reasoning contrast; intervals need not be symmetric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.figures import topic_contrasts
from social_provenance.regions.grid import TOPIC_NAMES

if TYPE_CHECKING:
    import pandas as pd


def test_topics_stand_in_the_order_of_the_reasoning_contrast(contrasts: pd.DataFrame) -> None:
    figure = topic_contrasts.draw_contrasts(contrasts.sample(frac=1, random_state=0), "trackstar")
    assert list(figure.layout.yaxis.categoryarray) == list(TOPIC_NAMES.values())
    assert [trace.name for trace in figure.data] == ["reasoning", "knowledge"]


def test_bars_reach_from_low_to_high(contrasts: pd.DataFrame) -> None:
    trace = topic_contrasts.draw_contrasts(contrasts, "trackstar").data[0]
    np.testing.assert_allclose(trace.error_x.array, 0.25)
    np.testing.assert_allclose(trace.error_x.arrayminus, 0.5)


def test_no_contrast_is_an_empty_figure(contrasts: pd.DataFrame) -> None:
    figure = topic_contrasts.draw_contrasts(contrasts.iloc[:0], "trackstar")
    assert all(len(trace.x) == 0 for trace in figure.data)
