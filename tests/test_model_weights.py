"""Configuration, weights and tokenizer of a model belong together, and are held to it before a weight is read.

The law: whichever tensor is taken away, given another shape, added or made infinite, the model is refused in one line
that names it; what transformers itself ties, computes or renames is no fault.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import ModelError
from social_provenance.language_model import LanguageModel
from social_provenance.model_files import WEIGHTS, WEIGHTS_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def copy(llama_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama_folder, tmp_path / "model")


@pytest.fixture(params=["single", "sharded"])
def changed(request: pytest.FixtureRequest, copy: Path) -> Callable[[Change], Path]:
    """Return a function that changes the tensors of a model, in one file or in three with an index."""
    from safetensors.torch import load_file, save_file

    def change(how: Change) -> Path:
        tensors = load_file(copy / WEIGHTS)
        names = list(tensors)
        how(tensors)
        if request.param == "single":
            save_file(tensors, copy / WEIGHTS, {"format": "pt"})
            return copy
        (copy / WEIGHTS).unlink()
        # The index keeps naming what was taken away: it is no proof that a tensor is there.
        places = {
            name: f"model-{number % 3}.safetensors" for number, name in enumerate({**dict.fromkeys(names), **tensors})
        }
        for place in set(places.values()):
            own = {name: tensor for name, tensor in tensors.items() if places[name] == place}
            save_file(own, copy / place, {"format": "pt"})
        (copy / WEIGHTS_INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
        return copy

    return change


def tensors_of(folder: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(folder / WEIGHTS, framework="pt") as file:
        return sorted(file.keys())


def test_a_whole_model_is_let_through(changed: Callable[[Change], Path]) -> None:
    folder = changed(dict.copy)
    assert LanguageModel.at(str(folder)).load().config.vocab_size == 320


@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_missing_tensor_is_named_before_a_weight_is_read(
    copy: Path, changed: Callable[[Change], Path], place: int
) -> None:
    name = tensors_of(copy)[place]
    folder = changed(lambda tensors: tensors.pop(name))
    said = f"{copy} has no weight {name!r}, which would be drawn at random: give a complete model"
    for read in (LanguageModel.at, lambda model: LanguageModel(model).load()):
        with pytest.raises(ModelError, match=re.escape(said)):
            read(str(folder))


def test_every_tensor_is_needed(llama_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for number, name in enumerate(tensors_of(llama_folder)):
        folder = shutil.copytree(llama_folder, tmp_path / str(number))
        tensors = load_file(folder / WEIGHTS)
        del tensors[name]
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})
        with pytest.raises(ModelError, match=re.escape(f"{folder} has no weight {name!r}, which")):
            LanguageModel.at(str(folder))


def test_of_many_missing_tensors_the_first_are_named_and_the_rest_counted(copy: Path) -> None:
    from safetensors.torch import save_file

    names = tensors_of(copy)
    save_file({}, copy / WEIGHTS, {"format": "pt"})
    said = f"has no weight {', '.join(map(repr, names[:3]))} and {len(names) - 3} more, which would be drawn"
    with pytest.raises(ModelError, match=re.escape(said)):
        LanguageModel.at(str(copy))


@pytest.mark.parametrize("place", [0, 3, -1])
@pytest.mark.parametrize("shape", ["longer", "flat", "single"])
def test_a_tensor_of_another_shape_is_named_with_both_shapes(
    copy: Path, changed: Callable[[Change], Path], place: int, shape: str
) -> None:
    import torch

    name = tensors_of(copy)[place]

    def change(tensors: dict[str, Any]) -> None:
        sizes = list(tensors[name].shape)
        other = {"longer": [sizes[0] + 1, *sizes[1:]], "flat": [*sizes, 1], "single": []}[shape]
        tensors[name] = torch.zeros(other)

    folder = changed(change)
    said = (
        rf"{re.escape(str(copy))} has weight {re.escape(repr(name))} as ([\d x]+|a single value) and its config\.json"
    )
    for read in (LanguageModel.at, lambda model: LanguageModel(model).load()):
        with pytest.raises(ModelError, match=said) as caught:
            read(str(folder))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model.layers.1.mlp.up_proj.weight", "score.weight", "model.embed_tokens.lora_A"])
def test_a_tensor_without_a_place_is_named(changed: Callable[[Change], Path], name: str) -> None:
    import torch

    folder = changed(lambda tensors: tensors.update({name: torch.zeros(3)}))
    said = f"has weights that LlamaForCausalLM, the architecture of its config.json, has no place for: {name!r}; give"
    for read in (LanguageModel.at, lambda model: LanguageModel(model).load()):
        with pytest.raises(ModelError, match=re.escape(said)):
            read(str(folder))


@pytest.mark.parametrize(
    ("field", "value"),
    [("hidden_size", 64), ("num_hidden_layers", 2), ("vocab_size", 321), ("vocab_size", 64), ("intermediate_size", 32)],
)
def test_a_configuration_of_another_model_is_refused(copy: Path, field: str, value: int) -> None:
    config = json.loads((copy / "config.json").read_text())
    config.pop("layer_types", None)
    (copy / "config.json").write_text(json.dumps(config | {field: value}))
    with pytest.raises(ModelError, match=r"has (no )?weight .*(config\.json|drawn at random)"):
        LanguageModel.at(str(copy))


def test_a_configuration_of_another_architecture_is_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    with pytest.raises(ModelError, match=r"has no weight '(lm_head|transformer)\."):
        LanguageModel.at(str(copy))


@pytest.mark.parametrize("kind", ["Llama", "Qwen2", "GPT2", "GPTNeoX", "OPT", "Mixtral"])
@pytest.mark.parametrize("tied", [True, False])
def test_what_transformers_saves_it_finds_again(tmp_path: Path, tiny_tokenizer: Any, kind: str, tied: bool) -> None:
    import transformers

    sizes = {
        "vocab_size": 320, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2, "ffn_dim": 64, "word_embed_proj_dim": 32, "n_embd": 32,
        "n_layer": 1, "n_head": 2, "num_local_experts": 2, "tie_word_embeddings": tied, "bos_token_id": 0,
        "eos_token_id": 0, "pad_token_id": 0,
    }  # fmt: skip
    known = getattr(transformers, f"{kind}Config")()
    names = {"hidden_size", "num_hidden_layers", "num_attention_heads"} if kind == "GPT2" else set()
    config = type(known)(**{name: size for name, size in sizes.items() if hasattr(known, name) and name not in names})
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    LanguageModel.at(str(tmp_path)).load()


def test_buffers_that_are_computed_may_be_in_the_file(llama_folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(llama_folder, tmp_path / "model")
    buffer = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}
    save_file(load_file(folder / WEIGHTS) | buffer, folder / WEIGHTS, {"format": "pt"})
    LanguageModel.at(str(folder)).load()


@pytest.mark.parametrize("place", [0, 4, -1])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_not_finite_is_named(
    copy: Path, changed: Callable[[Change], Path], place: int, value: float
) -> None:
    name = tensors_of(copy)[place]
    folder = changed(lambda tensors: tensors[name].view(-1)[-2:].fill_(value))
    with pytest.raises(ModelError, match=re.escape(f"{copy} has weight {name!r} with 2 of ")):
        LanguageModel.at(str(folder)).load()


@pytest.mark.parametrize("place", [0, 3, -1])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "bool"])
def test_integers_are_not_taken_for_weights(
    changed: Callable[[Change], Path], copy: Path, place: int, kind: str
) -> None:
    import torch

    name = tensors_of(copy)[place]
    folder = changed(lambda tensors: tensors.update({name: tensors[name].to(getattr(torch, kind))}))
    with pytest.raises(ModelError, match=rf"has weight {re.escape(repr(name))} as [BIU]\w+ and not as real numbers"):
        LanguageModel.at(str(folder))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_any_real_numbers_are_weights(changed: Callable[[Change], Path], copy: Path, kind: str) -> None:
    import torch

    name = tensors_of(copy)[0]
    folder = changed(lambda tensors: tensors.update({name: tensors[name].to(getattr(torch, kind))}))
    assert LanguageModel.at(str(folder)).load().config.vocab_size == 320


def test_large_finite_weights_are_finite(changed: Callable[[Change], Path]) -> None:
    import torch

    most = torch.finfo(torch.float32).max
    LanguageModel.at(str(changed(lambda tensors: tensors["lm_head.weight"].fill_(most)))).load()


@pytest.mark.parametrize("more", [1, 100])
def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(
    copy: Path, plain_bpe: Callable[..., Any], more: int
) -> None:
    texts = [f"{number * number} {number:x}" for number in range(3000)]
    plain_bpe(texts, 320 + more).save_pretrained(copy)
    tokenizer = LanguageModel(str(copy)).tokenizer()
    assert len(tokenizer) > 320
    said = f"has the id {len(tokenizer) - 1}, and its model has 320 embeddings: give it the tokenizer"
    with pytest.raises(ModelError, match=re.escape(said)):
        LanguageModel.at(str(copy))


def test_special_tokens_may_be_without_embedding_and_embeddings_without_token(copy: Path, plain_bpe: Any) -> None:
    tokenizer = LanguageModel(str(copy)).tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(copy)
    assert len(LanguageModel.at(str(copy)).tokenizer()) == 321
    plain_bpe(["a b"], 258).save_pretrained(copy)
    assert len(LanguageModel.at(str(copy)).tokenizer()) < 320


def test_a_folder_that_was_changed_is_looked_at_again(copy: Path) -> None:
    LanguageModel.at(str(copy))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"vocab_size": 1000}))
    with pytest.raises(ModelError, match="asks for 1000 x 32"):
        LanguageModel.at(str(copy))
