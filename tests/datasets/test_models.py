"""A model folder: loaded as a place, saved whole, and never over a model of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context.context import _convert_paths_to_absolute_posix
from kedro.io import AbstractDataset, DatasetError

from social_provenance.datasets import LanguageModelFolder, OptionalModelFolder
from social_provenance.errors import ModelError
from social_provenance.language_model import TrainedModel
from social_provenance.lineage import ABSENT, UnknownContentError


@pytest.fixture
def trained(tiny_model: Any, tiny_tokenizer: Any) -> TrainedModel:
    return TrainedModel(tiny_model, tiny_tokenizer)


def test_what_was_saved_is_the_same_model(tmp_path: Path, trained: TrainedModel) -> None:
    folder = LanguageModelFolder(path=str(tmp_path / "model"))
    folder.save(trained)
    loaded, before = folder.load().load().state_dict(), trained.model.state_dict()
    assert set(loaded) == set(before)
    assert all(bool((loaded[name] == before[name]).all()) for name in before)
    assert folder.load().tokenizer()("Anna felt glad")["input_ids"] == trained.tokenizer("Anna felt glad")["input_ids"]
    assert list((tmp_path / "model").glob("*.safetensors"))


def test_a_relative_folder_is_loaded_by_its_full_path(
    tmp_path: Path, trained: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = LanguageModelFolder(path="models/small")
    folder.save(trained)
    assert folder.load().path == str(tmp_path / "models" / "small")
    assert folder.load().is_local


def test_a_name_on_the_hub_stays_a_name_with_its_revision() -> None:
    model = LanguageModelFolder(path="allenai/Olmo-3-1025-7B", revision="stage1").load()
    assert (model.path, model.revision, model.is_local) == ("allenai/Olmo-3-1025-7B", "stage1", False)


def test_a_revision_may_stand_in_the_path() -> None:
    model = LanguageModelFolder(path="hf://allenai/Olmo-3-1025-7B@stage1-step1000").load()
    assert (model.path, model.revision) == ("allenai/Olmo-3-1025-7B", "stage1-step1000")


def test_a_name_on_the_hub_outlives_the_turning_of_paths_by_kedro() -> None:
    entry = {"type": "social_provenance.datasets.LanguageModelFolder", "path": "hf://allenai/Olmo-3-1025-7B"}
    turned = _convert_paths_to_absolute_posix(project_path=Path("/project"), conf_dictionary={"model": entry})
    model = AbstractDataset.from_config("model", turned["model"]).load()
    assert (model.path, model.is_local) == ("allenai/Olmo-3-1025-7B", False)


def test_a_model_on_the_hub_is_not_written(trained: TrainedModel, refused: Any) -> None:
    with refused(ModelError, "hf://allenai/Olmo-3-1025-7B is on the hub", "leave the pretraining pipeline out"):
        LanguageModelFolder(path="hf://allenai/Olmo-3-1025-7B").save(trained)


def test_saving_again_replaces_an_earlier_save(tmp_path: Path, trained: TrainedModel) -> None:
    folder = LanguageModelFolder(path=str(tmp_path / "model"))
    folder.save(trained)
    (tmp_path / "model" / "left.txt").write_text("from before")
    folder.save(trained)
    assert not (tmp_path / "model" / "left.txt").exists()
    folder.load().check()


def test_a_model_of_the_users_own_is_left_alone(tmp_path: Path, trained: TrainedModel, refused: Any) -> None:
    own = tmp_path / "model"
    trained.model.save_pretrained(own)
    before = {file.name: file.stat().st_mtime_ns for file in own.iterdir()}
    with refused(ModelError, f"{own} is not a folder that the pretraining pipeline made", "skip that pipeline"):
        LanguageModelFolder(path=str(own)).save(trained)
    assert {file.name: file.stat().st_mtime_ns for file in own.iterdir()} == before


def test_a_save_that_fails_leaves_the_model_of_before(tmp_path: Path, trained: TrainedModel) -> None:
    folder = LanguageModelFolder(path=str(tmp_path / "model"))
    folder.save(trained)
    before = folder.load().digest()
    with pytest.raises(DatasetError, match="save_pretrained"):
        folder.save(TrainedModel(trained.model, tokenizer=None))
    assert folder.load().digest() == before


def test_the_identity_of_a_folder_is_its_content_wherever_it_is(tmp_path: Path, trained: TrainedModel) -> None:
    folder = LanguageModelFolder(path=str(tmp_path / "model"))
    assert folder.digest() == ABSENT
    folder.save(trained)
    before = folder.digest()
    (tmp_path / "model").rename(tmp_path / "moved")
    assert LanguageModelFolder(path=str(tmp_path / "moved")).digest() == before != ABSENT
    (tmp_path / "moved" / "config.json").write_text("{}")
    assert LanguageModelFolder(path=str(tmp_path / "moved")).digest() != before


def test_the_identity_of_a_model_on_the_hub_is_its_revision_if_that_stays() -> None:
    one, same, other = (
        LanguageModelFolder(path=path, revision=revision).digest()
        for path, revision in (("hf://a/b", "v1"), ("hf://a/b@v1", None), ("hf://a/b", "v2"))
    )
    assert one == same != other
    for revision in (None, "main"):
        with pytest.raises(UnknownContentError, match="has no fixed revision: give a commit or a tag"):
            LanguageModelFolder(path="hf://a/b", revision=revision).digest()


def test_a_folder_without_tokenizer_is_refused_on_loading(tmp_path: Path, trained: TrainedModel, refused: Any) -> None:
    trained.model.save_pretrained(tmp_path / "bare")
    with refused(ModelError, f"{tmp_path / 'bare'} has no tokenizer (tokenizer.json", "save it beside the weights"):
        LanguageModelFolder(path=str(tmp_path / "bare")).load()


def test_a_missing_folder_is_refused_on_loading_with_the_fix(tmp_path: Path, refused: Any) -> None:
    folder = LanguageModelFolder(path=str(tmp_path / "nowhere"))
    assert not folder.exists()
    with refused(
        ModelError, f"no model at {tmp_path / 'nowhere'}", "run the pretraining pipeline", "--params model=DIR"
    ):
        folder.load()


def test_an_optional_model_without_a_place_is_none_and_no_part_of_the_lineage() -> None:
    folder = OptionalModelFolder(path=None)
    assert folder.load() is None
    assert folder.location() is None
    assert folder.digest() == ABSENT
    assert folder.exists()


def test_an_optional_model_with_a_place_is_that_model_and_is_not_written(
    tmp_path: Path, trained: TrainedModel, refused: Any
) -> None:
    LanguageModelFolder(path=str(tmp_path / "model")).save(trained)
    folder = OptionalModelFolder(path=str(tmp_path / "model"))
    assert folder.load() == LanguageModelFolder(path=str(tmp_path / "model")).load()
    assert folder.location() == tmp_path / "model"
    assert folder.digest() == LanguageModelFolder(path=str(tmp_path / "model")).digest()
    with refused(ModelError, "is not written"):
        folder.save(trained)


def test_a_model_that_need_not_exist_is_none_until_it_does(tmp_path: Path) -> None:
    place = str(tmp_path / "model")
    assert OptionalModelFolder(path=place, must_exist=False).load() is None
    with pytest.raises(DatasetError, match="there is no model at"):
        OptionalModelFolder(path=place).load()
    assert OptionalModelFolder(path="hf://owner/name", must_exist=False).load() is not None
