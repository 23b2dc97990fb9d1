"""The words are those that the tables have."""

from __future__ import annotations

from typing import get_args

from social_provenance.forgetting.vocabulary import (
    ARMS,
    CONTRAST,
    IDS,
    MEASURES,
    OUTCOMES,
    PRIMARY,
    Arm,
    Scope,
)
from social_provenance.schemas.unlearning import UnlearningAnswers, UnlearningPlan
from social_provenance.schemas.unlearning_effects import UnlearningEffects


def test_every_arm_is_in_one_scope() -> None:
    assert set(ARMS) == set(get_args(Scope))
    assert sorted(arm for pair in ARMS.values() for arm in pair) == sorted(get_args(Arm))


def test_outcomes_are_means_of_columns_of_the_answers() -> None:
    assert set(OUTCOMES.values()) <= set(UnlearningAnswers.to_schema().columns)
    assert PRIMARY in OUTCOMES


def test_measures_are_different_columns_of_the_effects() -> None:
    columns = [column for measure in MEASURES for column in measure]
    assert set(columns) <= set(UnlearningEffects.to_schema().columns)
    assert len(set(columns)) == len(columns)


def test_keys_are_columns() -> None:
    assert set(CONTRAST) <= set(UnlearningEffects.to_schema().columns)
    assert set(IDS) <= set(UnlearningPlan.to_schema().columns)
