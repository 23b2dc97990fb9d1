"""A model by its place: local folders are looked at, names on the hub are taken at their word."""

from __future__ import annotations

import json
import re
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import ModelError
from social_provenance.language_model import DEFAULT_MAX_TOKENS, LanguageModel, max_tokens

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model_folder, tmp_path / "model")


@pytest.mark.parametrize("kind", ["tiny_model_folder", "llama_folder"])
def test_any_causal_model_is_loaded_ready_to_evaluate(request: pytest.FixtureRequest, kind: str) -> None:
    import torch

    place = LanguageModel(str(request.getfixturevalue(kind)))
    place.check()
    model, tokenizer = place.load(), place.tokenizer()
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    ids = tokenizer("Anna thanked Ben.", return_tensors="pt")["input_ids"].to(model.device)
    assert model(ids).logits.shape == (1, ids.shape[1], len(tokenizer))
    assert max_tokens(place.config()) == 512


@pytest.mark.parametrize("path", ["/nowhere/model", "./model", "../model", "data/06_models/model"])
def test_a_missing_folder_is_named_with_the_fix(path: str) -> None:
    message = f"there is no model at {path}: run the pretraining pipeline, or give --params model=DIR"
    with pytest.raises(ModelError, match=re.escape(message)):
        LanguageModel(path).check()


@pytest.mark.parametrize("name", ["gpt2", "allenai/Olmo-3-1025-7B"])
def test_a_name_on_the_hub_is_taken_at_its_word(name: str) -> None:
    model = LanguageModel(name)
    model.check()
    assert not model.is_local


@pytest.mark.parametrize("part", ["config", "tokenizer", "load"])
def test_a_name_on_the_hub_out_of_reach_is_told_with_the_fix(part: str) -> None:
    with pytest.raises(ModelError, match=r"model nobody/nothing cannot be loaded \(.*offline: false in engines\.yml"):
        getattr(LanguageModel("nobody/nothing"), part)()


@pytest.mark.parametrize(
    ("place", "revision", "found"),
    [
        ("hf://a/b", None, ("a/b", None)),
        ("hf://a/b", "v2", ("a/b", "v2")),
        ("hf://a/b@v2", None, ("a/b", "v2")),
        ("hf://gpt2@refs/pr/3", None, ("gpt2", "refs/pr/3")),
    ],
)
def test_a_place_on_the_hub_may_name_its_revision(
    place: str, revision: str | None, found: tuple[str, str | None]
) -> None:
    model = LanguageModel.at(place, revision)
    assert (model.path, model.revision) == found


def test_two_revisions_of_one_place_are_refused() -> None:
    with pytest.raises(ModelError, match="hf://a/b@v2 has a revision and revision is 'v3': give one of the two"):
        LanguageModel.at("hf://a/b@v2", "v3")


def test_a_folder_is_found_by_its_full_path_and_looked_at(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent)
    assert LanguageModel.at("model") == LanguageModel(str(copy))
    (copy / "config.json").unlink()
    with pytest.raises(ModelError, match=r"has no config\.json"):
        LanguageModel.at("model")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"model_type": "nobodys"}', "model type `nobodys`"),
        (b'{"model_type": "olmo3", "hidden_size": "x"}', "hidden_size.* got str"),
        (b'{"model_type": "t5"}', "T5Config"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_quoted_with_its_cause(copy: Path, content: bytes, cause: str) -> None:
    (copy / "config.json").write_bytes(content)
    said = rf"the (config.json|weights) of model {re.escape(str(copy))} cannot be read \(.*{cause}"
    with pytest.raises(ModelError, match=said):
        LanguageModel.at(str(copy)).load()


@pytest.mark.parametrize("content", [b"", b"{}", b"{", b"[1]", b"\xff"])
def test_a_damaged_tokenizer_is_named(copy: Path, content: bytes) -> None:
    (copy / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match=rf"the tokenizer of model {re.escape(str(copy))} cannot be read \(") as caught:
        LanguageModel.at(str(copy)).tokenizer()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["config", "load"])
def test_a_model_with_code_of_its_own_is_refused_without_a_question(copy: Path, part: str) -> None:
    config = json.loads((copy / "config.json").read_text())
    code = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    (copy / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": code}))
    (copy / "own.py").write_text("raise AssertionError('this was run')\n")
    with pytest.raises(ModelError, match=re.escape(f"model {copy} ships its own code, which is not run")):
        getattr(LanguageModel(str(copy)), part)()


def test_a_copy_has_the_same_digest_and_other_weights_or_tokens_another(copy: Path, tiny_model_folder: Path) -> None:
    before = LanguageModel(str(tiny_model_folder)).digest()
    assert LanguageModel(str(copy)).digest() == before
    digests = {before}
    for name in ("model.safetensors", "tokenizer.json"):
        content = bytearray((copy / name).read_bytes())
        content[-2] ^= 1
        (copy / name).write_bytes(content)
        digests.add(LanguageModel(str(copy)).digest())
    assert len(digests) == 3


def test_a_quantised_model_is_refused_before_anything_is_computed(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    packed = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (copy / "config.json").write_text(json.dumps({**config, "quantization_config": packed}))
    with pytest.raises(
        ModelError, match=r"is quantised \(quantization_config .*bitsandbytes.*give the model as it was"
    ):
        LanguageModel.at(str(copy)).check()


def test_the_digest_of_a_name_is_that_of_name_and_revision() -> None:
    digests = {LanguageModel("a/b", revision).digest() for revision in (None, "main", "v2")}
    assert len(digests | {LanguageModel("a/c").digest()}) == 4
    assert LanguageModel("a/b", "v2").digest() in digests


def test_a_model_without_a_stated_limit_has_a_cautious_one() -> None:
    config: Any = SimpleNamespace(max_position_embeddings=77)
    assert max_tokens(config) == 77
    assert max_tokens(SimpleNamespace()) == DEFAULT_MAX_TOKENS
