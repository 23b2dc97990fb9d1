"""A store gives the same gradients however it was divided, refuses broken ones and is filled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.bergson_run import read_index
from social_provenance.gradients.settings import GradientSettings
from social_provenance.gradients.store import GradientStore, digest_of_rows, plan_part, plan_parts
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

    Collect = Callable[..., GradientStore]

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, documents_per_part=3)


def _digests(rows: Dataset, model: LanguageModel, settings: GradientSettings = SETTINGS) -> dict[str, str]:
    return {name: part.digest for name, part in plan_parts(rows, "doc_id", model, settings).items()}


def _assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert set(one) == set(other)
    for doc_id, gradient in one.items():
        np.testing.assert_allclose(other[doc_id], gradient, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("settings", [{"token_batch": 64}, {"token_batch": 4096}], ids=["small", "beyond the model"])
def test_a_gradient_does_not_depend_on_its_batch(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, settings: dict[str, int]
) -> None:
    _assert_equal(by_id(store), by_id(collect(sequences, **settings)))


def test_a_gradient_does_not_depend_on_its_neighbours(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset
) -> None:
    alone = by_id(collect(sequences.select([3])))
    _assert_equal({"doc-3": by_id(store)["doc-3"]}, alone)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_gradient_does_not_depend_on_the_parts(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, size: int
) -> None:
    sliced = collect(sequences, documents_per_part=size)
    assert len(sliced.parts) == -(-len(sequences) // size)
    assert sliced.modules == store.modules
    _assert_equal(by_id(store), by_id(sliced))


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_pieces_hold_every_row_once_in_order(collect: Collect, sequences: Dataset, rows: int) -> None:
    pieces = list(collect(sequences, documents_per_part=3).chunks(rows))
    assert [doc_id for piece in pieces for doc_id in piece.ids] == list(sequences["doc_id"])
    assert all(len(piece.ids) <= rows for piece in pieces)
    assert all(len(piece.ids) == len(piece.losses) == len(piece.gradients) for piece in pieces)


def test_modules_are_columns_one_after_the_other(store: GradientStore) -> None:
    columns = list(store.modules.values())
    assert [each.start for each in columns] == [0, *[each.stop for each in columns[:-1]]]
    assert next(store.chunks(1)).gradients.shape[1] == columns[-1].stop


def test_a_gradient_that_is_not_finite_is_refused_by_its_id(collect: Collect, sequences: Dataset) -> None:
    broken = collect(sequences)
    (folder,) = broken.parts.values()
    gradients, _, _ = read_index(folder)
    writable = np.memmap(folder / "index/gradients.bin", dtype=gradients.dtype, mode="r+", shape=gradients.shape)
    writable[2, 5], writable[4, 0] = np.nan, np.inf
    writable.flush()
    with pytest.raises(AttributionError, match=r"the gradient of 'doc-2' is not finite \(and 1 more\)"):
        list(broken.chunks(100))
    seen = broken.chunks(2)
    assert next(seen).ids == ["doc-0", "doc-1"]
    with pytest.raises(AttributionError, match=r"'doc-2' is not finite \(and 0 more\)"):
        next(seen)


def test_a_store_without_parts_says_how_to_fill_it() -> None:
    with pytest.raises(AttributionError, match="the gradient store is empty: run the attribution pipeline"):
        _ = GradientStore({}, "doc_id").modules


def test_a_document_longer_than_a_batch_is_named(sequences: Dataset, model: LanguageModel) -> None:
    longest = max(sequences, key=lambda row: row["length"])
    settings = SETTINGS.model_copy(update={"token_batch": longest["length"] - 1})
    with pytest.raises(AttributionError) as caught:
        plan_part(sequences, "doc_id", model, settings)
    assert str(caught.value) == (
        f"doc_id {longest['doc_id']!r} has {longest['length']} tokens, gradients.token_batch is "
        f"{longest['length'] - 1}: raise it to at least gradients.max_tokens"
    )


def test_the_same_inputs_have_the_same_digests(sequences: Dataset, model: LanguageModel, tmp_path: Path) -> None:
    sequences.save_to_disk(str(tmp_path / "copy"))
    from datasets import load_from_disk

    assert _digests(load_from_disk(str(tmp_path / "copy")), model) == _digests(sequences, model)


def test_settings_and_model_change_every_digest(sequences: Dataset, model: LanguageModel, llama_folder: Path) -> None:
    before = _digests(sequences, model)
    assert len(set(before.values())) == len(before) == 3
    for change in ({"projection_dim": 8}, {"projection_type": "normal"}, {"loss_reduction": "mean"}):
        after = _digests(sequences, model, SETTINGS.model_copy(update=change))
        assert all(after[name] != before[name] for name in before), change
    after = _digests(sequences, LanguageModel(str(llama_folder)))
    assert all(after[name] != before[name] for name in before)


@pytest.mark.parametrize("column", ["input_ids", "labels", "doc_id"])
def test_a_changed_document_changes_the_digest_of_its_part_only(
    sequences: Dataset, model: LanguageModel, column: str
) -> None:
    values = list(sequences[column])
    values[4] = "another" if column == "doc_id" else [*values[4][:-1], 7]
    before = _digests(sequences, model)
    after = _digests(sequences.remove_columns(column).add_column(column, values), model)
    assert {name for name in before if after[name] != before[name]} == {"part-00001"}


def test_the_identity_of_rows_is_that_of_the_columns_asked_for(sequences: Dataset) -> None:
    usual = digest_of_rows(sequences, ["doc_id", "labels"])
    assert digest_of_rows(sequences.remove_columns("length"), ["doc_id", "labels"]) == usual
    assert digest_of_rows(sequences, ["doc_id"]) != usual
    assert digest_of_rows(sequences.select([1, 0, 2, 3, 4, 5, 6]), ["doc_id", "labels"]) != usual


def test_a_run_goes_on_with_the_parts_that_are_missing(
    sequences: Dataset, model: LanguageModel, by_id: Any, store: GradientStore, tmp_path: Path
) -> None:
    folder = PartsFolder(path=str(tmp_path / "parts"))

    def written() -> dict[str, int]:
        return {name: (path / "done.json").stat().st_mtime_ns for name, path in folder.load().items()}

    parts = plan_parts(sequences, "doc_id", model, SETTINGS)
    folder.save({"part-00000": parts["part-00000"]})  # as if the run had been killed after it
    first = written()
    folder.save(parts)
    assert written()["part-00000"] == first["part-00000"]
    _assert_equal(by_id(store), by_id(GradientStore(folder.load(), "doc_id")))
    done = written()
    values = list(sequences["labels"])
    values[-1] = [-100, *values[-1][1:-1], -100]
    changed = sequences.remove_columns("labels").add_column("labels", values)
    folder.save(plan_parts(changed, "doc_id", model, SETTINGS))
    assert {name for name, at in written().items() if at != done[name]} == {"part-00002"}


def test_what_python_compiles_does_not_change_a_digest(
    sequences: Dataset, model: LanguageModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from social_provenance.gradients import store as module

    (tmp_path / "store.py").write_text("code = 1\n")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "store.py"))
    before = _digests(sequences, model)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/store.cpython-311.pyc").write_bytes(b"compiled")
    assert _digests(sequences, model) == before
    (tmp_path / "store.py").write_text("code = 2\n")
    assert _digests(sequences, model) != before
