"""Several processes make the store that one makes, are started once, and end in one line."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bergson import distributed
from kedro.io import DatasetError

from social_provenance.datasets import PartsFolder
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk import collect as collect_module
from social_provenance.gradients.walk.bergson_index import INDEX, STATES
from social_provenance.gradients.walk.collect import Walk, plan_store
from social_provenance.gradients.walk.finish import finish_shard
from social_provenance.gradients.walk.store import MOMENTS, ROWS, GradientStore

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.language_model import LanguageModel

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128)
_TWO = Distributed(nproc_per_node=2)


@pytest.mark.slow
def test_two_processes_make_the_store_that_one_makes(
    store: GradientStore, sequences: Dataset, model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both walk the same batches, so bytes agree, and they are started once for all shards."""
    started = []
    launch = distributed.launch_distributed_run
    monkeypatch.setattr(
        distributed, "launch_distributed_run", lambda *given: started.append(given[0]) or launch(*given)
    )
    walk = Walk(model, SETTINGS, _TWO, "doc_id")
    folder = PartsFolder(path=str(tmp_path / "two"))
    folder.save(plan_store({"few": sequences.select([1, 2, 3]), "all": sequences}, walk))
    assert started == ["walk"]
    one = PartsFolder(path=str(tmp_path / "one"))
    one.save(plan_store({"few": sequences.select([1, 2, 3])}, Walk(model, SETTINGS, Distributed(), "doc_id")))
    for file in (f"{INDEX}/gradients.bin", STATES, MOMENTS, ROWS):
        assert (folder.load()["few"] / file).read_bytes() == (one.load()["few"] / file).read_bytes(), file
    two = GradientStore({"all": folder.load()["all"]})
    assert two.digest == store.digest
    assert two.identity == store.identity
    for file in (f"{INDEX}/gradients.bin", STATES, MOMENTS, ROWS):
        assert (two.shards["all"] / file).read_bytes() == (store.shards["all"] / file).read_bytes(), file


@pytest.mark.slow
@pytest.mark.usefixtures("quick_spawn")
@pytest.mark.parametrize("places", [[3], [3, 2, 6]], ids=["fewer rows than processes", "batches that cannot be shared"])
def test_a_small_shard_is_walked_by_two_processes_too(
    store: GradientStore,
    by_id: Any,
    sequences: Dataset,
    model: LanguageModel,
    tmp_path: Path,
    places: list[int],
    *,
    assert_near: Any,
) -> None:
    """The last shard, of the bins that are larger than all others, may have very few documents.

    Here the batches are other ones than those of the whole store: numbers agree to rounding.
    """
    walk = Walk(model, SETTINGS.model_copy(update={"token_batch": 46, "max_tokens": 46}), _TWO, "doc_id")
    folder = PartsFolder(path=str(tmp_path / "two"))
    folder.save(plan_store({"all": sequences.select(places)}, walk))
    whole = by_id(store)
    assert_near({f"doc-{place}": whole[f"doc-{place}"] for place in places}, by_id(GradientStore(folder.load())))


@pytest.mark.slow
@pytest.mark.usefixtures("quick_spawn")
@pytest.mark.parametrize("places", [[3, 2, 6], [0, 1, 2, 3, 4, 5, 6]], ids=["a batch twice", "all documents"])
def test_a_divided_model_makes_the_store_that_one_process_makes(
    store: GradientStore,
    by_id: Any,
    sequences: Dataset,
    model: LanguageModel,
    tmp_path: Path,
    places: list[int],
    *,
    assert_near: Any,
) -> None:
    settings = SETTINGS.model_copy(update={"token_batch": 46, "max_tokens": 46})
    walk = Walk(model, settings, Distributed(nproc_per_node=2, fsdp=True), "doc_id")
    folder = PartsFolder(path=str(tmp_path / "two"))
    folder.save(plan_store({"all": sequences.select(places)}, walk))
    two, names = GradientStore(folder.load()), [f"doc-{place}" for place in places]
    whole, losses = by_id(store), by_id(store, losses=True)
    assert_near({name: whole[name] for name in names}, by_id(two))
    np.testing.assert_allclose(two.column("loss"), [losses[name] for name in names], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_spawn")
def test_a_process_that_is_killed_ends_the_walk_in_one_line_and_finished_shards_stay(
    sequences: Dataset, model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = PartsFolder(path=str(tmp_path / "two"))
    killed: list[int] = []

    def kill(*given: Any) -> None:
        finish_shard(*given)
        if not killed:
            workers = multiprocessing.active_children()
            killed.extend(worker.pid or 0 for worker in workers)
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(collect_module, "finish_shard", kill)
    pieces = {f"shard-{number}": sequences for number in range(40)}
    with pytest.raises(DatasetError, match=r"a process of the walk has ended before its time \(.*\): .* stay, run"):
        folder.save(plan_store(pieces, Walk(model, SETTINGS, _TWO, "doc_id")))
    assert len(killed) == 2
    assert not [worker for worker in multiprocessing.active_children() if worker.pid in killed]
    assert (tmp_path / "two/shard-0/done.json").exists()
    assert not (tmp_path / "two/shard-39/done.json").exists()
