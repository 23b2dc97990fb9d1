"""An effect has an estimate or a reason; intervals are in order; no p is below its floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.schemas import unlearning_effects

if TYPE_CHECKING:
    from collections.abc import Callable


def two(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame([{"run_id": name, **columns} for name in ("a", "b")])


NAMED: dict[str, Any] = {"topic": "games", "scope": "topic", "algorithm": "ngdiff"}
READ: dict[str, Any] = {**NAMED, "outcome": "accuracy", "reading": "equal_compute"}
EFFECT: dict[str, Any] = {
    **READ,
    "normalisation": "none",
    "step": 12.0,
    "influence": -1.0,
    "random": -0.5,
    "influence_minus_random": -0.5,
    "ci_low": -1.0,
    "ci_high": 0.0,
    "n_targeted": 2,
    "n_random": 5,
    "n_random_less_damaging": 5.0,
    "p": 0.2,
    "smallest_p": 0.1,
    "q": float("nan"),
    "others": float("nan"),
    "did": 0.0,
    "did_low": -0.5,
    "did_high": 0.5,
    "did_n_random_less_damaging": 1.0,
    "did_p": 0.6,
    "did_q": float("nan"),
    "selectivity": float("nan"),
    "reason": None,
}


def aligned(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame([{"benchmark": name, **columns} for name in ("a", "b")])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ci_low", 3.0, "in order"),
        ("did_low", 3.0, "intervals of did are in order"),
        ("p", 0.05, "p is at least smallest_p"),
        ("did_p", 0.05, "p is at least smallest_p"),
        ("normalisation", "word", "normalisation"),
        ("influence_minus_random", float("nan"), "an estimate or a reason"),
        ("reason", "no run is left", "an estimate or a reason"),
    ],
)
def test_effect_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    refuses(unlearning_effects.UnlearningEffects, aligned(**EFFECT), column, value, message)


def test_a_global_contrast_has_no_topic_and_a_lost_one_no_numbers() -> None:
    lost = {name: None for name in EFFECT if isinstance(EFFECT[name], float)}
    row = {**EFFECT, **lost, "scope": "global", "topic": None, "reason": "no run is left"}
    unlearning_effects.UnlearningEffects.validate(aligned(**row), lazy=True)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("high", 0.06, "equivalent only with an interval within the margin"),
        ("low", float("nan"), "equivalent only with an interval within the margin"),
        ("margin", 0.0, "margin"),
    ],
)
def test_equivalence_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    row = {"comparison": "influence_minus_random", "measured": "c", "difference": 0.0, "low": -0.04, "high": 0.04}
    table = aligned(**READ, **row, margin=0.05, p=0.01, equivalent=True, reason=None)
    refuses(unlearning_effects.UnlearningEquivalence, table, column, value, message)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("mixed_reason", "3 topics", "a mixed model or a reason"),
        ("ci_low", 1.0, "in order"),
    ],
)
def test_across_topics_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    row = {"mean": -0.5, "ci_low": -1.0, "ci_high": 0.0, "wilcoxon_p": 0.1, "smallest_p": 0.1, "rank_p": 0.1}
    row |= {"smallest_rank_p": 0.1, "mixed_mean": -0.5, "mixed_low": -1.0, "mixed_high": 0.0, "mixed_p": 0.1}
    named = {"algorithm": "ngdiff", "outcome": "accuracy", "reading": "area", "n_topics": 6, "mixed_reason": None}
    named |= {"measure": "did"}
    refuses(unlearning_effects.UnlearningAcrossTopics, aligned(**named, **row), column, value, message)


def test_the_mean_is_within_its_band(refuses: Callable[..., None]) -> None:
    row = {"mean": -0.5, "low": -0.6, "high": -0.4, "forget_rise": 0.1, "heldout_rise": 0.0, "runs": 2}
    table = aligned(**NAMED, arm="random_in_topic", step=3, outcome="accuracy", **row)
    refuses(unlearning_effects.UnlearningDoseResponse, table, "low", 0.0, "the mean is within its band")
