"""The page: methods by their score, failed worlds by name, missing values as such."""

from __future__ import annotations

from typing import Any

from board.page import MEASURES, write_page


def row(method: str, measure: str, mean: float | None, low: float | None = None, n: int = 2) -> dict[str, Any]:
    high = None if low is None or mean is None else 2 * mean - low
    return {"method": method, "world": "w", "measure": measure, "mean": mean, "low": low, "high": high, "n": n}


REPORT: dict[str, Any] = {
    "worlds": ["w"],
    "failed": {"miniature-9": "the model answers nothing"},
    "halves": 4,
    "retraining_seeds": [0, 1],
    "outcome": "end",
    "top": 2,
    "effects": {"w": {"one": {"planted": -0.5, "other": 0.0}, "all": {"decoy": {"quiz": 0.25}}}},
    "rows": [
        row("words", "lds_value", -0.4, -0.5),
        row("gradients", "lds_value", 0.9, 0.8),
        row("nothing", "lds_value", None, n=0),
        row("gradients", "topic_auc", 1.0, n=1),
    ],
}


def test_the_best_method_is_first_and_bounds_stand_beside_it() -> None:
    lines = [line for line in write_page(REPORT).splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == ["gradients", "words", "nothing"]
    assert "0.90 [0.80, 1.00]" in lines[0]
    assert "−0.40 [−0.50, −0.30]" in lines[1]
    assert lines[2].count("–") == 2


def test_a_failed_world_is_named_and_counted() -> None:
    page = write_page(REPORT)
    assert "1 left out" in page
    assert "miniature-9: the model answers nothing" in page


def test_a_measure_of_no_method_has_no_column() -> None:
    page = write_page(REPORT)
    assert MEASURES["topic_auc"] in page
    assert MEASURES["own_rank"] not in page


def test_what_leaving_out_topics_did_is_said_by_role() -> None:
    page = write_page(REPORT)
    assert "leaving out one topic, nats per item: planted −0.50, other 0.00." in page
    assert "all its topics that are decoy, nats per item: `quiz` 0.25." in page
    assert "leaving out" not in write_page({**REPORT, "effects": {}})
