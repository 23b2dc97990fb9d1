"""The tables of a study pass their schemas, whatever has failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.changes import contrast_changes
from social_provenance.forgetting.effects.contrast import SET_COLUMNS, set_rows
from social_provenance.forgetting.effects.equivalence import EQUIVALENCE_COLUMNS, equivalence_rows
from social_provenance.forgetting.effects.tables import measure_effects
from social_provenance.forgetting.vocabulary import FAILED
from social_provenance.schemas import unlearning_effects as schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.effects.changes import RunTables


def test_tables_pass_their_schemas_with_failed_runs_one_set_and_one_benchmark(
    simulate: Callable[..., RunTables],
) -> None:
    whole = simulate(topics=("games", None))
    lost = np.where(whole.runs["arm"] == "random_global", FAILED, "done")
    studies = (
        whole,
        replace(whole, runs=whole.runs.assign(status=lost)),
        replace(whole, runs=whole.runs.assign(status=FAILED)),
        simulate(sets=1, seeds=1, benchmarks=("social",)),
        replace(whole, runs=whole.runs.iloc[:0]),
    )
    for measured in studies:
        tables = measure_effects(measured, EffectSettings(), Bootstrap(replicates=20))
        schemas.UnlearningEffects.validate(tables.effects, lazy=True)
        schemas.UnlearningSets.validate(tables.sets, lazy=True)
        schemas.UnlearningEquivalence.validate(tables.equivalence, lazy=True)


def test_tables_are_the_rows_of_every_contrast_one_after_another(simulate: Callable[..., RunTables]) -> None:
    measured, settings = simulate(topics=("games", None)), EffectSettings()
    tables = measure_effects(measured, settings, Bootstrap(replicates=20))
    contrasts = list(contrast_changes(measured, settings))
    assert len(contrasts) == 4
    sets = [row for changes in contrasts for row in set_rows(changes)]
    alike = [row for changes in contrasts for row in equivalence_rows(changes, settings.equivalence_margin)]
    pd.testing.assert_frame_equal(tables.sets, pd.DataFrame(sets, columns=list(SET_COLUMNS)))
    pd.testing.assert_frame_equal(tables.equivalence, pd.DataFrame(alike, columns=list(EQUIVALENCE_COLUMNS)))
    for topic in ("games", None):
        alone = measure_effects(simulate(topics=(topic,)), settings, Bootstrap(replicates=20)).effects
        part = tables.effects[tables.effects["topic"].isna() == (topic is None)].reset_index(drop=True)
        own = ["topic", "q"]  # a null of another type, and what all contrasts have to do with
        pd.testing.assert_frame_equal(part.drop(columns=own), alone.drop(columns=own), check_dtype=False)


def test_the_same_seed_gives_the_same_bounds_and_another_hardly_others(simulate: Callable[..., RunTables]) -> None:
    noise = np.random.default_rng(0).normal(size=(2, 5, 12))
    measured = simulate(lambda arm, number, *_: noise[int(arm.startswith("random")), number])
    one, same, other = (
        measure_effects(measured, EffectSettings(), Bootstrap(replicates=2000, seed=seed))
        .effects["ci_low"]
        .to_numpy(float)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    known = np.isfinite(one)
    np.testing.assert_allclose(one[known], other[known], rtol=0.15, atol=0.01)
