"""A patch that moves nothing has no effect, leaves no trace, and the region that states the facts gains most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset

from social_provenance.capabilities.scoring import Scorer
from social_provenance.errors import TailPatchError
from social_provenance.interventions.settings import TailPatch
from social_provenance.interventions.tail_patch import (
    PatchedModel,
    patch_regions,
    regions_of,
    summarise_patches,
    take_items,
)
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from social_provenance.interventions.tail_patch import Region

SETTINGS = TailPatch(
    doses=(1, 3), repeats=2, batch_documents=2, items=None, optimiser=Optimiser(learning_rate=3e-3, weight_decay=0.0)
)
COLUMNS = ["topic", "format", "repeat", "dose", "benchmark", "change", "normalisation"]


@pytest.fixture
def patched(tiny_model: Any, requests: pd.DataFrame) -> PatchedModel:
    return PatchedModel(tiny_model, Scorer(requests, batch_size=4))


@pytest.fixture
def regions(documents: pd.DataFrame) -> dict[Region, Any]:
    return regions_of(Dataset.from_pandas(documents), "topic")


def test_without_a_learning_rate_nothing_changes(patched: PatchedModel, regions: dict[Region, Any]) -> None:
    still = SETTINGS.optimiser.model_copy(update={"learning_rate": 0.0})
    changes = patch_regions(patched, regions, SETTINGS.model_copy(update={"optimiser": still}))
    assert list(changes.columns) == COLUMNS
    assert len(changes) == 4 * 2 * 2 * 2
    assert (changes["change"] == 0).all()
    assert (summarise_patches(changes, 0.95)[["effect", "standard_error", "ci_low", "ci_high"]] == 0).all(axis=None)


def test_the_weights_are_what_they_were(patched: PatchedModel, regions: dict[Region, Any]) -> None:
    before = {name: value.clone() for name, value in patched.model.state_dict().items()}
    assert patch_regions(patched, regions, SETTINGS)["change"].abs().min() > 0
    after = patched.model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert not patched.model.training


def test_the_order_of_regions_and_documents_does_not_matter(
    patched: PatchedModel, regions: dict[Region, Any], documents: pd.DataFrame
) -> None:
    one = patch_regions(patched, regions, SETTINGS)
    turned = regions_of(Dataset.from_pandas(documents.iloc[::-1], preserve_index=False), "topic")
    other = patch_regions(patched, dict(reversed(turned.items())), SETTINGS)
    key = ["topic", "repeat", "dose", "benchmark"]
    pd.testing.assert_frame_equal(
        one.sort_values(key, ignore_index=True), other.sort_values(key, ignore_index=True), check_exact=True
    )


def test_a_region_that_states_the_answers_gains_most(patched: PatchedModel, regions: dict[Region, Any]) -> None:
    table = summarise_patches(patch_regions(patched, regions, SETTINGS), 0.95)
    last = table[table["dose"] == 3].set_index("topic")
    for benchmark, home in (("social", "social_life"), ("stem", "science_math_and_technology")):
        assert last.loc[last["benchmark"] == benchmark, "effect"].idxmax() == home


def test_repeats_are_other_mini_batches(patched: PatchedModel, regions: dict[Region, Any]) -> None:
    changes = patch_regions(patched, regions, SETTINGS.model_copy(update={"batch_documents": 1, "doses": (1,)}))
    first, second = (changes.loc[changes["repeat"] == repeat, "change"].to_numpy() for repeat in (0, 1))
    assert (first != second).any()


def test_bins_are_patched_as_well(patched: PatchedModel, documents: pd.DataFrame) -> None:
    bins = regions_of(Dataset.from_pandas(documents), "bin")
    assert len(bins) == len(documents)
    changes = patch_regions(patched, bins, SETTINGS.model_copy(update={"doses": (1,)}))
    assert set(zip(changes["topic"], changes["format"], strict=True)) == set(bins)


def test_one_region_is_nothing_to_compare(patched: PatchedModel, regions: dict[Region, Any]) -> None:
    with pytest.raises(TailPatchError, match=r"of 1 region"):
        patch_regions(patched, dict([next(iter(regions.items()))]), SETTINGS)


def test_items_are_taken_of_each_benchmark(requests: pd.DataFrame) -> None:
    assert len(take_items(requests, None)) == len(requests)
    one = take_items(requests, 1)
    assert one.groupby("benchmark", sort=False)["item"].unique().map(list).to_dict() == {
        "social": ["social/0"],
        "stem": ["stem/2"],
    }
    assert one.groupby("item").size().tolist() == [3, 3]


def changes_of(values: dict[str, list[float]]) -> pd.DataFrame:
    """Return changes of a benchmark by one step, a list of repeats for each topic."""
    rows = [(topic, None, i, 1, "quiz", value, "none") for topic, own in values.items() for i, value in enumerate(own)]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_what_all_regions_share_is_no_effect() -> None:
    changes = changes_of({"games": [3.0, 5.0], "health": [1.0, 1.0]})
    table = summarise_patches(changes, 0.95).set_index("topic")
    assert table["effect"].to_dict() == {"games": 1.5, "health": -1.5}
    assert table["change"].to_dict() == {"games": 4.0, "health": 1.0}
    shifted = changes.assign(change=changes["change"] + 10 * changes["repeat"] + 7)
    np.testing.assert_allclose(summarise_patches(shifted, 0.95)["effect"], [1.5, -1.5])


def test_the_interval_is_students_with_pooled_spread() -> None:
    table = summarise_patches(changes_of({"games": [3.0, 5.0], "health": [1.0, 1.0]}), 0.95).set_index("topic")
    # Effects by repeat are 1, 2 and -1, -2: variances of 0.5, so an error of sqrt(0.5 / 2); t(.975, 2) = 4.302653.
    np.testing.assert_allclose(table["standard_error"], 0.5)
    np.testing.assert_allclose(table["ci_high"] - table["effect"], 0.5 * 4.302653, rtol=1e-6)
    np.testing.assert_allclose(table["effect"] - table["ci_low"], 0.5 * 4.302653, rtol=1e-6)
    assert table["n_repeats"].tolist() == [2, 2]
