"""A forecast of unlearning: steps of all runs, at the pace of the walk."""

from __future__ import annotations

from social_provenance.forgetting.runs.forecast import forecast_steps
from social_provenance.forgetting.settings import Unlearning

SETTINGS = Unlearning(
    order_seeds=(0, 1), random_sets=3, global_sets=0, steps=10, read_every=5, batch_documents=4, processes=2
)
RUNS = 2 * (2 + 3)
"""Of two benchmarks."""


def test_steps_cost_their_tokens_shared_by_processes() -> None:
    walk = {"documents": 100, "tokens": 5000, "token_seconds": 0.5}
    documents = RUNS * 10 * (4 + 4)
    assert forecast_steps(walk, SETTINGS, benchmarks=2) == {
        "documents": documents,
        "tokens": 50 * documents,
        "bytes": None,
        "seconds": 50 * documents * 0.5 / 2,
    }


def test_without_a_pace_there_is_no_time() -> None:
    walk = {"documents": 100, "tokens": 5000, "token_seconds": None}
    assert forecast_steps(walk, SETTINGS, benchmarks=2)["seconds"] is None
