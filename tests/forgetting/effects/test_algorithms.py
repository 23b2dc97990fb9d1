"""Algorithms are counted over their own contrasts and runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.algorithms import compare_algorithms
from social_provenance.forgetting.effects.tables import measure_effects
from social_provenance.schemas.unlearning_effects import UnlearningAlgorithms

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.effects.changes import RunTables


def harm(arm: str, number: int, _: str, aligned: str) -> float:
    """Hurt more than every random set for ``social``, more than most for ``stem``, and less for others."""
    if arm.startswith("influence"):
        return {"social": 0.5, "stem": 0.35}.get(aligned, 0.05)
    return 0.1 * number


def table_of(measured: RunTables) -> pd.DataFrame:
    effects = measure_effects(measured, EffectSettings(), Bootstrap(replicates=20)).effects
    table = compare_algorithms(effects, measured.runs, measured.trajectory)
    UnlearningAlgorithms.validate(table, lazy=True)
    return table.set_index(["algorithm", "scope"])


def test_contrasts_are_counted_at_equal_compute(simulate: Callable[..., RunTables]) -> None:
    row = table_of(simulate(harm, benchmarks=("social", "stem", "art", "music"))).loc["ngdiff", "topic"]
    assert (row["contrasts"], row["aligned_hurt_more"], row["beyond_every_random_set"]) == (4, 2, 1)
    assert (row["did_hurt_more"], row["did_beyond_every_random_set"], row["did"]) == (0, 0, pytest.approx(0))
    assert row["influence_minus_random"] == pytest.approx((-0.3 - 0.15 + 0.15 + 0.15) / 4)
    assert (row["forget_rise"], row["retain_rise"], row["heldout_rise"]) == pytest.approx((0.5, 0.1, 0.03))
    assert (row["runs"], row["stopped"], row["failed"]) == (28, 0, 0)


def test_specific_damage_is_counted_by_itself(simulate: Callable[..., RunTables]) -> None:
    def specific(arm: str, number: int, benchmark: str, aligned: str) -> float:
        more = 1.0 if benchmark == aligned == "social" else -0.05 if benchmark == aligned else 0.0
        return 0.01 * number + (more if arm.startswith("influence") else 0.0)

    row = table_of(simulate(specific, benchmarks=("social", "stem", "art", "music"))).loc["ngdiff", "topic"]
    assert (row["contrasts"], row["did_hurt_more"], row["did_beyond_every_random_set"]) == (4, 1, 1)
    assert row["did"] == pytest.approx((-1.0 + 3 * 0.05) / 4)


def test_algorithms_and_scopes_are_apart_and_lost_runs_counted(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(harm, topics=("games", None))
    status = ["failed", "stopped", *measured.runs["status"][2:]]
    table = table_of(replace(measured, runs=measured.runs.assign(status=status)))
    assert list(table.index) == [("ngdiff", "global"), ("ngdiff", "topic")]
    assert table["failed"].tolist() == [0, 1]
    assert table["stopped"].tolist() == [0, 1]


def test_an_algorithm_whose_runs_all_failed_has_no_contrast(simulate: Callable[..., RunTables]) -> None:
    measured = simulate(harm)
    row = table_of(replace(measured, runs=measured.runs.assign(status="failed"))).loc["ngdiff", "topic"]
    assert (row["contrasts"], row["failed"]) == (0, 14)
    assert pd.isna(row[["influence_minus_random", "did", "forget_rise"]]).all()
