"""A panel a contrast, a line and a band an arm, and the same curves against the forget loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.figures import dose_response

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation


@pytest.fixture
def doses() -> pd.DataFrame:
    """Return curves that fall by a tenth a step, with runs .1 apart and a forget loss that rises by .05 a step."""
    rows = [
        {"benchmark": benchmark, "topic": topic, "scope": scope, "algorithm": "ngdiff", "arm": f"{kind}_{place}"}
        | {"step": step, "outcome": outcome, "mean": -step / 10, "low": -step / 10 - 0.1, "high": -step / 10 + 0.1}
        | {"forget_rise": 0.05 * step, "heldout_rise": 0.0, "runs": 3}
        for benchmark in ("tk", "sr")
        for topic, scope, place in (("games", "topic", "in_topic"), (None, "global", "global"))
        for kind in ("influence", "random")
        for outcome in ("choice_logprob", "accuracy")
        for step in (12, 0, 6)
    ]
    return pd.DataFrame(rows)


def test_panels_stand_in_the_order_of_the_study(doses: pd.DataFrame, evaluation: Evaluation) -> None:
    figure = dose_response.draw_dose_response(doses, evaluation)
    assert [annotation.text for annotation in figure.layout.annotations][:4] == [
        f"forget {where}, for {benchmark} (ngdiff)" for benchmark in ("sr", "tk") for where in ("Games", "all topics")
    ]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [trace.name for trace in lines[:2]] == ["influence_in_topic", "random_in_topic"]
    assert len(lines) == 8
    assert [trace.name for trace in lines if trace.showlegend] == [
        *("influence_in_topic", "random_in_topic", "influence_global", "random_global")
    ]
    assert list(lines[0].x) == [0, 6, 12]
    assert list(lines[0].y) == pytest.approx([0, -0.6, -1.2])


def test_bands_go_there_along_the_least_and_back_along_the_largest(doses: pd.DataFrame, evaluation: Evaluation) -> None:
    band = dose_response.draw_dose_response(doses, evaluation).data[0]
    assert list(band.x) == [0, 6, 12, 12, 6, 0]
    assert list(band.y) == pytest.approx([-0.1, -0.7, -1.3, -1.1, -0.5, 0.1])


def test_the_second_view_has_the_forget_loss_for_every_trace(doses: pd.DataFrame, evaluation: Evaluation) -> None:
    figure = dose_response.draw_dose_response(doses, evaluation)
    steps, rises = (button.args for button in figure.layout.updatemenus[0].buttons)
    assert len(steps[0]["x"]) == len(rises[0]["x"]) == len(figure.data)
    assert [list(x) for x in steps[0]["x"]] == [list(trace.x) for trace in figure.data]
    assert rises[0]["x"][1] == pytest.approx([0, 0.3, 0.6])
    assert rises[1]["xaxis4.title.text"] == "rise of the forget loss, nats per token"


def test_no_curve_is_an_empty_figure(doses: pd.DataFrame, evaluation: Evaluation) -> None:
    assert len(dose_response.draw_dose_response(doses.iloc[:0], evaluation).data) == 0
