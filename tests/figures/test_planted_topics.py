"""Every topic is shown once a method and benchmark, in the group of its role; baselines come last and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.figures import planted_topics
from social_provenance.regions.grid import TOPIC_NAMES, TOPICS

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation

METHODS = ("bm25", "influence", "trackstar", "length")


def table(decoys: int) -> pd.DataFrame:
    rows = []
    for benchmark in range(4):
        mine = TOPICS[2 * benchmark : 2 * benchmark + 2]
        wrong = TOPICS[8 + 4 * benchmark : 8 + 4 * benchmark + decoys]
        for method in METHODS:
            for place, topic in enumerate(TOPICS):
                role = "planted" if topic in mine else "decoy" if topic in wrong else "other"
                rows.append(("sr tr sk tk".split()[benchmark], method, topic, role, float(place)))
    return pd.DataFrame(rows, columns=["benchmark", "method", "topic", "role", "z"])


@pytest.mark.parametrize("decoys", [0, 4])
def test_every_topic_stands_in_the_group_of_its_role(evaluation: Evaluation, decoys: int) -> None:
    topics = table(decoys)
    figure = planted_topics.draw_planted(topics, evaluation, "trackstar")
    shown = [(trace.name, text, z) for trace in figure.data for text, z in zip(trace.text, trace.x, strict=True)]
    given = zip(topics["role"], topics["topic"].map(TOPIC_NAMES), topics["z"], strict=True)
    assert sorted(shown) == sorted(given)
    legend = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(legend) == sorted({*topics["role"]})


def test_the_default_method_is_first_and_baselines_are_last(evaluation: Evaluation) -> None:
    figure = planted_topics.draw_planted(table(4), evaluation, "trackstar")
    said = ["trackstar", "influence", "bm25 (no gradient)", "length (no gradient)"]
    assert list(figure.layout.yaxis.ticktext) == said
    for trace in figure.data:
        assert len(set(trace.y)) == len(METHODS)
