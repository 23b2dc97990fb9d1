"""ContrastArms are called alike only where two one-sided tests say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.changes import Clusters
from social_provenance.forgetting.effects.equivalence import tost_p
from social_provenance.forgetting.effects.intervals import ArmChanges, Difference, difference
from social_provenance.forgetting.effects.tables import measure_effects
from social_provenance.forgetting.vocabulary import AGAINST_RANDOM, AGAINST_UNTOUCHED

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from social_provenance.forgetting.effects.changes import RunTables

SETTINGS = EffectSettings(forget_rises=(0.1,), heldout_rises=(0.01,))


def verdicts(measured: RunTables) -> pd.DataFrame:
    table = measure_effects(measured, SETTINGS, Bootstrap(replicates=50)).equivalence
    return table[table["reading"] == "equal_compute"].set_index(["benchmark", "comparison", "measured"])


def test_where_runs_agree_p_is_that_of_statsmodels_over_cluster_means(simulate: Callable[..., RunTables]) -> None:
    harm = np.random.default_rng(0).normal(0.01, 0.05, 24)
    row = verdicts(simulate(lambda arm, *_: harm if arm.startswith("influence") else 0.0, items=24)).loc[
        "social", AGAINST_RANDOM, "stem"
    ]
    means = DescrStatsW(-harm.reshape(12, 2).mean(axis=1))
    assert row["p"] == pytest.approx(means.ttost_mean(-0.05, 0.05)[0])
    assert row["difference"] == pytest.approx(means.mean)
    assert (row["low"], row["high"]) == pytest.approx(means.tconfint_mean(alpha=0.1))
    assert row["margin"] == 0.05


@pytest.mark.parametrize(("value", "error", "df"), [(0.01, 0.02, 5.0), (-0.04, 0.01, 30.0), (0.2, 0.05, 3.0)])
def test_p_is_the_larger_of_two_one_sided_ones(value: float, error: float, df: float) -> None:
    below = stats.t.sf((value + 0.05) / error, df)
    above = stats.t.cdf((value - 0.05) / error, df)
    found = Difference(value, error, df, [])
    assert tost_p(found, 0.05) == pytest.approx(max(below, above))
    low, high = found.t_interval(0.9)
    assert (tost_p(found, 0.05) <= 0.05) == (low >= -0.05 and high <= 0.05)


def test_a_difference_without_error_is_within_the_margin_or_not() -> None:
    assert tost_p(Difference(0.01, 0.0, 1e6, []), 0.05) == 0
    assert tost_p(Difference(0.05, 0.0, 1e6, []), 0.05) == 1


def test_arms_that_differ_by_the_margin_are_called_alike_no_more_often_than_said() -> None:
    rng = np.random.default_rng(0)
    clusters = {"quiz": Clusters(hash_names([str(place) for place in range(24)]), np.full(24, 1 / 24))}
    alike, worlds = 0, 1000
    for _ in range(worlds):
        values = [rng.normal(0, 0.02, (count, 1)) + rng.normal(0, 0.05, (count, 24)) for count in (3, 5)]
        arms = [
            ArmChanges("seed", 1, range(3), [1] * 3, {"quiz": values[0] - 0.05}),
            ArmChanges("set", -1, range(5), [1] * 5, {"quiz": values[1]}),
        ]
        alike += tost_p(difference(arms, clusters, {"quiz": 1.0}), 0.05) <= 0.05
    assert 0.01 <= alike / worlds <= 0.07  # nominal 0.05, standard error .007


def test_a_difference_that_is_not_significant_is_not_called_alike(simulate: Callable[..., RunTables]) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 5, 12))
    row = verdicts(simulate(lambda arm, number, *_: noise[int(arm.startswith("random")), number])).loc[
        "social", AGAINST_RANDOM, "stem"
    ]
    assert not row["equivalent"]
    assert row["p"] > 0.05
    assert row["low"] < 0 < row["high"]


def test_global_random_sets_are_held_against_the_untouched_model(simulate: Callable[..., RunTables]) -> None:
    table = verdicts(simulate(lambda arm, *_: 0.3 if arm.startswith("influence") else 0.01, topics=(None,)))
    assert sorted(table.loc["social"].index) == [
        (AGAINST_RANDOM, "stem"),
        (AGAINST_UNTOUCHED, "social"),
        (AGAINST_UNTOUCHED, "stem"),
    ]
    row = table.loc["social", AGAINST_UNTOUCHED, "stem"]
    assert row["difference"] == pytest.approx(-0.01)
    assert row["equivalent"]
    assert not table.loc[("social", AGAINST_RANDOM, "stem"), "equivalent"]


def test_nothing_is_called_alike_where_the_error_is_not_known(simulate: Callable[..., RunTables]) -> None:
    table = verdicts(simulate(sets=1))
    assert not table["equivalent"].any()
    assert table["p"].isna().all()
    assert (table["reason"] == "there is one random set, so it has no standard error").all()
    alone = verdicts(simulate(items=2))
    assert (alone["reason"].str.endswith("are one cluster, so it has no standard error")).all()


def test_one_benchmark_has_nothing_to_be_tested_on(simulate: Callable[..., RunTables]) -> None:
    assert verdicts(simulate(benchmarks=("social",))).empty
