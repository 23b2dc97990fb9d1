"""Checkpoints: saved together or not at all, loaded in the order of training, never over the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context.context import _convert_paths_to_absolute_posix
from kedro.io import AbstractDataset, DatasetError

from social_provenance.datasets import CheckpointFolder
from social_provenance.errors import ModelError, SettingsError
from social_provenance.language_model import LanguageModel, TrainedModel
from social_provenance.lineage import ABSENT

HUB = "hf://allenai/Olmo-3-1025-7B"


@pytest.fixture
def trained(tiny_model: Any, tiny_tokenizer: Any) -> TrainedModel:
    return TrainedModel(tiny_model, tiny_tokenizer)


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder(path=str(tmp_path / "checkpoints"))


def test_what_was_saved_are_the_same_models_by_label(folder: CheckpointFolder, trained: TrainedModel) -> None:
    assert not folder.exists()
    folder.save({"step-000200": trained, "step-000010": trained})
    assert folder.exists()
    loaded = folder.load()
    assert list(loaded) == ["step-000010", "step-000200"]
    before = trained.model.state_dict()
    for model in loaded.values():
        model.check()
        after = model.load().state_dict()
        assert all(bool((after[name] == before[name]).all()) for name in before)
        assert model.tokenizer()("Anna felt glad")["input_ids"] == trained.tokenizer("Anna felt glad")["input_ids"]


def test_saving_again_replaces_all_of_them(folder: CheckpointFolder, trained: TrainedModel) -> None:
    folder.save({"a": trained, "b": trained})
    folder.save({"c": trained})
    assert list(folder.load()) == ["c"]


def test_a_save_that_fails_leaves_those_of_before(folder: CheckpointFolder, trained: TrainedModel) -> None:
    folder.save({"a": trained})
    with pytest.raises(DatasetError, match="save_pretrained"):
        folder.save({"b": trained, "c": TrainedModel(trained.model, tokenizer=None)})
    assert list(folder.load()) == ["a"]


def test_models_of_the_users_own_are_loaded_and_left_alone(
    tmp_path: Path, folder: CheckpointFolder, trained: TrainedModel, refused: Any
) -> None:
    trained.save(tmp_path / "checkpoints" / "mine")
    with refused(ModelError, f"{tmp_path / 'checkpoints'} is not a folder that the pretraining pipeline made"):
        folder.save({"b": trained})
    assert list(folder.load()) == ["mine"]


def test_no_checkpoint_is_an_error_that_says_what_to_do(tmp_path: Path, folder: CheckpointFolder, refused: Any) -> None:
    pieces = (f"no checkpoints in {tmp_path / 'checkpoints'}", "pretraining.checkpoints", "under places")
    with refused(ModelError, *pieces):
        folder.load()
    folder.save({})
    with refused(ModelError, *pieces):
        folder.load()
    with refused(ModelError, "no checkpoints in places"):
        CheckpointFolder(places={}).load()


def test_places_are_loaded_in_the_order_of_the_list(tiny_model_folder: Path) -> None:
    places = {"z": f"{HUB}@stage1-step1000", "a": str(tiny_model_folder), "m": HUB}
    entry = {"type": "social_provenance.datasets.CheckpointFolder", "places": places}
    turned = _convert_paths_to_absolute_posix(project_path=Path("/project"), conf_dictionary={"checkpoints": entry})
    dataset = AbstractDataset.from_config("checkpoints", turned["checkpoints"])
    assert dataset.exists()
    loaded = dataset.load()
    name = "allenai/Olmo-3-1025-7B"
    assert list(loaded.items()) == [
        ("z", LanguageModel(name, "stage1-step1000")),
        ("a", LanguageModel(str(tiny_model_folder))),
        ("m", LanguageModel(name)),
    ]


def test_places_are_not_written(trained: TrainedModel, refused: Any) -> None:
    with refused(ModelError, "checkpoints under places (a) are not written", "leave the pretraining pipeline out"):
        CheckpointFolder(places={"a": HUB}).save({"a": trained})


def test_a_place_without_a_model_is_named_with_its_label(tmp_path: Path, refused: Any) -> None:
    with refused(ModelError, f"checkpoint 'early': there is nothing at {tmp_path / 'x'}", "hf://OWNER/NAME@REVISION"):
        CheckpointFolder(places={"early": str(tmp_path / "x")}).load()
    with refused(ModelError, f"checkpoint 'early': {tmp_path} has no config.json"):
        CheckpointFolder(places={"early": str(tmp_path)}).load()


@pytest.mark.parametrize("label", ["v1.5", "a/b", "", "two words"])
def test_a_label_that_cannot_name_a_file_is_refused(
    folder: CheckpointFolder, trained: TrainedModel, refused: Any, label: str
) -> None:
    with pytest.raises(SettingsError, match=f"checkpoint {label!r}: a label has letters, digits, _ and - only"):
        CheckpointFolder(places={label: HUB})
    with refused(SettingsError, f"checkpoint {label!r}"):
        folder.save({label: trained})
    assert not folder.exists()


def test_a_number_is_a_label(tiny_model_folder: Path) -> None:
    numbered: Any = {1000: str(tiny_model_folder)}
    assert list(CheckpointFolder(places=numbered).load()) == ["1000"]


@pytest.mark.parametrize("given", [{}, {"path": "p", "places": {"a": HUB}}])
def test_either_path_or_places_are_given(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="takes either path or places"):
        CheckpointFolder(**given)


def test_the_identity_of_saved_checkpoints_is_their_content(
    folder: CheckpointFolder, trained: TrainedModel, tmp_path: Path
) -> None:
    assert folder.digest() == ABSENT
    folder.save({"a": trained})
    before = folder.digest()
    (tmp_path / "checkpoints").rename(tmp_path / "moved")
    moved = CheckpointFolder(path=str(tmp_path / "moved"))
    assert moved.digest() == before
    (tmp_path / "moved" / "a").rename(tmp_path / "moved" / "b")
    assert moved.digest() != before


def test_the_identity_of_listed_checkpoints_is_that_of_each_under_its_label_in_their_order(
    tiny_model_folder: Path,
) -> None:
    places = {"a": str(tiny_model_folder), "b": f"{HUB}@v1"}
    changed = [
        {"a": places["a"]},
        {"a": places["a"], "b": f"{HUB}@v2"},
        {"a": places["a"], "c": places["b"]},
        dict(reversed(places.items())),
    ]
    digests = {CheckpointFolder(places=each).digest() for each in (places, *changed)}
    assert len(digests) == 5
    assert CheckpointFolder(places=dict(places)).digest() in digests
