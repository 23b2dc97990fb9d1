"""Planted topics stand out in colour; every topic is shown once a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from social_provenance.figures import planted_topics
from social_provenance.regions.grid import TOPIC_NAMES, TOPICS

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation


def test_each_panel_has_its_planted_topics(evaluation: Evaluation) -> None:
    planted = {"sr": TOPICS[:2], "tr": TOPICS[2:4], "sk": TOPICS[4:6], "tk": TOPICS[6:8]}
    rows = [
        {"method": "trackstar", "benchmark": name, "topic": topic, "planted": topic in topics, "z": float(place)}
        for name, topics in planted.items()
        for place, topic in enumerate(TOPICS)
    ]
    table = pd.DataFrame(rows).assign(ci_low=lambda t: t["z"] - 1, ci_high=lambda t: t["z"] + 1)
    figure = planted_topics.draw_planted(table, evaluation, "trackstar")
    marked = [trace for trace in figure.data if trace.name == "planted"]
    others = [trace for trace in figure.data if trace.name != "planted"]
    assert [set(trace.y) for trace in marked] == [{TOPIC_NAMES[t] for t in topics} for topics in planted.values()]
    assert all(len(one.y) + len(two.y) == len(TOPICS) for one, two in zip(marked, others, strict=True))
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
