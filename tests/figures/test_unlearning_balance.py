"""Differences before and after matching stand in the panel of their benchmark, whatever their sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from social_provenance.figures import unlearning_balance

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation


def balance_of(*scopes: str) -> pd.DataFrame:
    rows = [
        {"benchmark": benchmark, "topic": "games", "scope": scope, "set": number, "variable": variable}
        | {"standardised_difference": -0.05, "unmatched_difference": 0.8 if benchmark == "sr" else -0.4}
        for benchmark in ("sr", "tk")
        for scope in scopes
        for number in range(2)
        for variable in ("length", "loss")
    ]
    return pd.DataFrame(rows)


def test_absolute_differences_before_and_after(evaluation: Evaluation) -> None:
    figure = unlearning_balance.draw_balance(balance_of("topic"), evaluation)
    before, after = figure.data[:2]
    assert (before.name, after.name) == ("all documents of the pool", "matched random set")
    assert set(before.x) == {0.8}
    assert set(after.x) == {0.05}
    assert list(after.y) == ["length", "loss"] * 2
    assert set(figure.data[6].x) == {0.4}
    assert len(figure.data[2].x) == 0
    assert figure.layout.shapes[0].x0 == unlearning_balance.BOUND


def test_scopes_are_named_where_there_are_several(evaluation: Evaluation) -> None:
    figure = unlearning_balance.draw_balance(balance_of("topic", "global"), evaluation)
    assert set(figure.data[0].y) == {
        f"{variable}, {scope}" for variable in ("length", "loss") for scope in ("topic", "global")
    }
