"""Changes are against step 0, by cluster of items, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.effects.changes import contrast_changes
from social_provenance.forgetting.vocabulary import FAILED

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.effects.changes import RunTables

SETTINGS = EffectSettings()


def test_the_change_of_a_cluster_is_the_mean_over_its_items(simulate: Callable[..., RunTables]) -> None:
    harm = np.arange(6.0)
    (changes,) = contrast_changes(simulate(lambda *_: harm, benchmarks=("social",), items=6), SETTINGS)
    at_end = changes.at(changes.readings[0], "choice_logprob", "social")
    np.testing.assert_allclose(at_end, [[-0.5, -2.5, -4.5]] * 7)
    np.testing.assert_allclose(changes.at(changes.readings[0], "margin", "social"), 3 * at_end)
    np.testing.assert_allclose(changes.at(changes.readings[1], "choice_logprob", "social"), at_end / 2)
    np.testing.assert_allclose(changes.clusters["social"].shares, 1 / 3)


def test_at_a_dose_a_linear_change_is_read_exactly(simulate: Callable[..., RunTables]) -> None:
    (changes,) = contrast_changes(simulate(lambda *_: 1.0, benchmarks=("social",)), SETTINGS)
    for reading in changes.readings:
        if reading.name.startswith("forget_loss+"):
            rise = float(reading.name.partition("+")[2])
            np.testing.assert_allclose(changes.at(reading, "choice_logprob", "social"), -rise / 0.5)


def test_order_of_rows_and_names_of_runs_do_not_matter(same_study_twice: tuple[RunTables, RunTables]) -> None:
    for one, other in zip(*(contrast_changes(measured, SETTINGS) for measured in same_study_twice), strict=True):
        assert one.named == other.named
        for key, grid in one.grid.items():
            np.testing.assert_array_equal(grid, other.grid[key])


def test_failed_runs_are_left_out(simulate: Callable[..., RunTables]) -> None:
    measured = simulate()
    runs = measured.runs.assign(status=[FAILED, *measured.runs["status"][1:]])
    lost = runs["run_id"][0]
    answers = measured.answers[measured.answers["run_id"] != lost]
    first, second = contrast_changes(replace(measured, runs=runs, answers=answers), SETTINGS)
    assert (len(first.runs), len(second.runs)) == (6, 7)


def test_a_run_that_lacks_answers_is_named(simulate: Callable[..., RunTables]) -> None:
    measured = simulate()
    run_id = measured.runs["run_id"][2]
    own = (measured.answers["run_id"] == run_id) & (measured.answers["step"] == 6)
    lost = own & (measured.answers["benchmark"] == "stem") & (measured.answers["item"] == "3")
    with pytest.raises(UnlearningError, match=rf"run {run_id} was read at step 6 and 1 of 12 items have no finite"):
        list(contrast_changes(replace(measured, answers=measured.answers[~lost]), SETTINGS))
    without = measured.trajectory[measured.trajectory["run_id"] != run_id]
    with pytest.raises(UnlearningError, match=rf"run {run_id} did not fail and has no answers or no trajectory"):
        list(contrast_changes(replace(measured, trajectory=without), SETTINGS))
    infinite = measured.answers.assign(margin=measured.answers["margin"].where(~lost, -np.inf))
    with pytest.raises(UnlearningError, match="no finite margin of stem"):
        list(contrast_changes(replace(measured, answers=infinite), SETTINGS))


def test_an_aligned_benchmark_without_answers_is_named(simulate: Callable[..., RunTables]) -> None:
    measured = simulate()
    with pytest.raises(UnlearningError, match="benchmark stem has no answers"):
        list(
            contrast_changes(
                replace(measured, answers=measured.answers[measured.answers["benchmark"] == "social"]), SETTINGS
            )
        )


@pytest.mark.parametrize("seed", range(4))
def test_clusters_of_any_size_weigh_as_many_items_as_they_have(simulate: Callable[..., RunTables], seed: int) -> None:
    rng = np.random.default_rng(seed)
    harm, clusters = rng.normal(size=12), rng.integers(5, size=12).astype(str)
    measured = simulate(lambda *_: harm, benchmarks=("social",))
    names = measured.answers["item"].astype(int).map(dict(enumerate(clusters)))
    (changes,) = contrast_changes(replace(measured, answers=measured.answers.assign(cluster=names)), SETTINGS)
    kinds, sizes = np.unique(clusters, return_counts=True)
    assert len(set(sizes)) > 1
    own = changes.clusters["social"]
    np.testing.assert_array_equal(own.hashes, hash_names([f"social/{kind}" for kind in kinds]))
    np.testing.assert_allclose(own.shares, sizes / 12)
    at_end = changes.at(changes.readings[0], "choice_logprob", "social")
    np.testing.assert_allclose(at_end, [[-harm[clusters == kind].mean() for kind in kinds]] * 7)
    np.testing.assert_allclose(at_end @ own.shares, -harm.mean())
