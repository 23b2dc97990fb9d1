"""The map shows each bin in its place, empty bins as holes, on one scale that is centred on zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.figures import influence_map
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.capabilities.benchmark import Evaluation


def test_every_bin_is_in_its_place(bins: pd.DataFrame, evaluation: Evaluation) -> None:
    shuffled = bins.sample(frac=1, random_state=0)
    figure = influence_map.draw_influence(shuffled, evaluation, "trackstar")
    expected = np.arange(576, dtype=float).reshape(24, 24)
    expected[0, 0] = np.nan
    assert len(figure.data) == 4
    for heat in figure.data:
        np.testing.assert_array_equal(np.array(heat.z, dtype=float), expected)
        assert list(heat.y) == list(TOPIC_NAMES.values())
        assert list(heat.x) == list(FORMAT_NAMES.values())


def test_an_empty_bin_says_so_and_a_full_one_its_interval(bins: pd.DataFrame, evaluation: Evaluation) -> None:
    texts = influence_map.draw_influence(bins, evaluation, "trackstar").data[0].text
    assert texts[0][0].endswith("no documents")
    assert "z +1.00 [+0.00, +3.00]" in texts[0][1]
    assert texts[0][1].endswith("3 documents")


def test_colours_are_centred_and_shared(bins: pd.DataFrame, evaluation: Evaluation) -> None:
    bins.loc[bins["benchmark"] == "tk", "z"] *= 10
    figure = influence_map.draw_influence(bins, evaluation, "trackstar")
    assert len({(heat.zmin, heat.zmax) for heat in figure.data}) == 1
    assert figure.data[0].zmin == -figure.data[0].zmax


def test_other_methods_are_not_shown(bins: pd.DataFrame, evaluation: Evaluation) -> None:
    import pandas as pd

    other = bins.assign(method="influence", z=bins["z"] + 1000)
    both = influence_map.draw_influence(pd.concat([other, bins]), evaluation, "trackstar")
    np.testing.assert_array_equal(
        np.array(both.data[0].z, dtype=float),
        np.array(influence_map.draw_influence(bins, evaluation, "trackstar").data[0].z, dtype=float),
    )
