"""A model folder is looked at file by file, before anything is loaded from it."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import ModelError
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model_folder, tmp_path / "model")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=re.escape(f"{tmp_path} has no config.json: it is not a model folder")):
        LanguageModel(str(tmp_path)).check()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_link_without_its_target_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    (copy / name).symlink_to("../blobs/1234")
    (copy / "README.md").symlink_to("nowhere")
    said = f"{copy / name} is a link to ../blobs/1234, where nothing is: fetch the model again, or copy it with"
    with pytest.raises(ModelError, match=re.escape(said)):
        LanguageModel(str(copy)).check()


def test_a_folder_without_weights_is_refused(copy: Path) -> None:
    for file in copy.glob("*.safetensors"):
        file.unlink()
    with pytest.raises(ModelError, match=re.escape(f"{copy} has no weights (model.safetensors)")):
        LanguageModel(str(copy)).check()


def test_a_folder_without_tokenizer_is_refused_with_what_is_missing(copy: Path) -> None:
    for file in copy.glob("tokenizer*"):
        file.unlink()
    message = f"{copy} has no tokenizer (tokenizer.json, tokenizer.model, vocab.json): save it beside the weights"
    with pytest.raises(ModelError, match=re.escape(message)):
        LanguageModel(str(copy)).check()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "config.json names no model_type ({}), so the architecture is unknown: save the model's configuration"),
        (b"[]", "config.json is not a JSON object ([]): fetch it again, or save the model again"),
        (b"", "config.json is not JSON ("),
        (b'{"model_type": "olmo3"', "config.json is not JSON ("),
        (b"\xff\xfe\x00", "config.json is not JSON ("),
        (b'{"model_type": 3}', "config.json names no model_type ({'model_type': 3})"),
    ],
)
def test_a_configuration_that_names_no_architecture_is_named(copy: Path, content: bytes, said: str) -> None:
    (copy / "config.json").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        LanguageModel.at(str(copy))
    assert f"{copy}/{said}" in str(caught.value)
    assert "\n" not in str(caught.value)


class _Touch:
    """A pickle that touches a file where it is read."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return open, (str(self._mark), "w")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt"])
def test_pickled_weights_are_refused_and_not_read(copy: Path, tmp_path: Path, name: str) -> None:
    import torch

    (copy / "model.safetensors").unlink()
    torch.save({"weight": _Touch(tmp_path / "mark")}, copy / name)
    said = f"{copy} has its weights as pickles only ({name}), which can run code and are not read: convert them"
    for read in (LanguageModel.at, lambda place: LanguageModel(place).load()):
        with pytest.raises(ModelError, match=re.escape(said)):
            read(str(copy))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_truncated_weights_are_named_before_they_are_read(copy: Path, left: int) -> None:
    file = copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    said = rf"{re.escape(str(file))} is damaged \(.*; it has [\d,]+ bytes\): fetch it again, or save the model again"
    with pytest.raises(ModelError, match=said):
        LanguageModel.at(str(copy))


def test_shards_that_an_index_names_are_looked_at(copy: Path) -> None:
    whole = (copy / "model.safetensors").rename(copy / "model-00001-of-00002.safetensors")
    index = copy / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": whole.name, "b": "model-00002-of-00002.safetensors"}}))
    with pytest.raises(
        ModelError, match=r"model-00002-of-00002\.safetensors is missing, which model\.safetensors\.index"
    ):
        LanguageModel.at(str(copy))
    index.write_text("{}")
    with pytest.raises(ModelError, match=r"index\.json has no weight_map of weights to files: fetch it again"):
        LanguageModel.at(str(copy))


def test_an_adapter_beside_a_model_is_refused(copy: Path) -> None:
    (copy / "adapter_config.json").write_text("{}")
    said = f"{copy} has adapter_config.json beside the model, and the adapter would be loaded on top of it: merge the"
    for read in (LanguageModel.at, lambda place: LanguageModel(place).load()):
        with pytest.raises(ModelError, match=re.escape(said)):
            read(str(copy))
    (copy / "config.json").unlink()
    with pytest.raises(ModelError, match=r"has no config\.json: it is an adapter: merge it into its model \(peft"):
        LanguageModel.at(str(copy))
