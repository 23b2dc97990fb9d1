"""The targeted set stands among its random sets, on the aligned benchmark, the mean of the others and between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.figures import unlearning_sets

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation

NAMES = ["sr", "tr", "sk", "tk"]


def sets_of(topics: tuple[str | None, ...] = ("games",), algorithms: tuple[str, ...] = ("ngdiff",)) -> pd.DataFrame:
    """Return sets: the targeted one lowers its own benchmark by 2, random set n by n / 10; others change by 0, 1, 2."""
    rows: list[dict[str, Any]] = []
    for benchmark in NAMES:
        for topic in topics:
            for algorithm in algorithms:
                named = {"benchmark": benchmark, "topic": topic, "algorithm": algorithm}
                named |= {"scope": "topic" if topic else "global", "outcome": "choice_logprob"}
                arms = ("influence_in_topic", "random_in_topic") if topic else ("influence_global", "random_global")
                for arm, number in ((arms[0], 0), (arms[1], 0), (arms[1], 1)):
                    others = iter((0.0, 1.0, 2.0))
                    for measured in NAMES:
                        own = -2.0 if arm == arms[0] else -number / 10
                        change = own if measured == benchmark else next(others)
                        row = {**named, "measured": measured, "arm": arm, "set": number, "change": change}
                        rows += [{**row, "reading": "equal_compute"}, {**row, "reading": "area", "change": 99.0}]
    return pd.DataFrame(rows)


def test_the_others_are_summed_up_by_their_mean() -> None:
    table = unlearning_sets.changes_of_sets(sets_of()).set_index(["benchmark", "label", "arm", "set"])["change"]
    assert table["sr", "Games", "influence_in_topic", 0] == -2.0
    assert table["sr", "Games", "random_in_topic", 1] == -0.1
    assert table["tk", "Games: others", "random_in_topic", 1] == 1.0
    assert table["sr", "Games: aligned − others", "random_in_topic", 1] == -1.1
    assert table["tk", "Games: aligned − others", "influence_in_topic", 0] == -3.0
    assert len(table) == 4 * 3 * 3


def test_a_study_of_one_benchmark_has_one_line_for_each_contrast() -> None:
    sets = sets_of()
    table = unlearning_sets.changes_of_sets(sets[(sets["benchmark"] == "sr") & (sets["measured"] == "sr")])
    assert table["label"].tolist() == ["Games"] * 3


def test_each_panel_has_both_arms_and_the_specific_change_on_top(evaluation: Evaluation) -> None:
    figure = unlearning_sets.draw_unlearning(sets_of(("games", None)), evaluation)
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "diamond"] * 4
    for axis in ("yaxis", "yaxis4"):
        order = list(figure.layout[axis].categoryarray)[::-1]
        lines = [": aligned − others", "", ": others"]
        assert order == [topic + line for topic in ("Games", "all topics") for line in lines]
    assert [trace.showlegend for trace in figure.data] == [True, True, *[False] * 6]
    low, high = figure.layout.xaxis.range
    assert low < -2 < 1 < high


def test_several_algorithms_are_named() -> None:
    labels = set(unlearning_sets.changes_of_sets(sets_of(algorithms=("ngdiff", "npo")))["label"])
    assert labels == {
        f"Games, {name}{rest}" for name in ("ngdiff", "npo") for rest in ("", ": aligned − others", ": others")
    }


@pytest.mark.parametrize("rows", [0, 2])
def test_a_benchmark_without_sets_has_an_empty_panel(evaluation: Evaluation, rows: int) -> None:
    figure = unlearning_sets.draw_unlearning(sets_of().iloc[:rows], evaluation)
    assert len(figure.data) == 8
    assert len(figure.data[-1].x) == 0
