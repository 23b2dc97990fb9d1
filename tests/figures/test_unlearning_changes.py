"""A change is against the untouched model, and stands in the panel of the benchmark it was planned for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.figures import unlearning_changes

if TYPE_CHECKING:
    from social_provenance.capabilities.benchmark import Evaluation

NAMES = ["sr", "tr", "sk", "tk"]


@pytest.fixture
def runs() -> pd.DataFrame:
    rows = [
        {"run_id": f"{name}.{arm}", "benchmark": name, "topic": "games", "arm": arm, "seed": 0}
        for name in NAMES
        for arm in ("influence_in_topic", "random_in_topic")
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def evaluations(runs: pd.DataFrame) -> pd.DataFrame:
    """Return evaluations in which the influence arm lowers its own benchmark by 2, the other by 1."""
    rows = [{"run_id": "untouched", "benchmark": name, "gold_logprob": -1.0} for name in NAMES]
    for run in runs.itertuples():
        loss = 2.0 if run.arm == "influence_in_topic" else 1.0
        rows += [
            {"run_id": run.run_id, "benchmark": name, "gold_logprob": -1.0 - (loss if name == run.benchmark else 0.0)}
            for name in NAMES
        ]
    return pd.DataFrame(rows)


def test_changes_are_against_the_untouched_model(runs: pd.DataFrame, evaluations: pd.DataFrame) -> None:
    changes = unlearning_changes.changes_of_runs(runs, evaluations)
    own = changes[changes["aligned"] == changes["benchmark"]]
    assert set(own.loc[own["arm"] == "influence_in_topic", "change"]) == {-2.0}
    assert set(own.loc[own["arm"] == "random_in_topic", "change"]) == {-1.0}
    assert set(changes.loc[changes["aligned"] != changes["benchmark"], "change"]) == {0.0}


def test_each_panel_has_both_arms_and_every_benchmark(
    runs: pd.DataFrame, evaluations: pd.DataFrame, evaluation: Evaluation
) -> None:
    figure = unlearning_changes.draw(runs, evaluations, evaluation)
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in points] == ["influence_in_topic", "random_in_topic"] * 4
    assert all(sorted(trace.y) == sorted(NAMES) for trace in points)
    assert figure.layout.annotations[0].text == "forget Games, for sr"
