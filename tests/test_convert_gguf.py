"""An unpacked GGUF file is the model that was packed, with its tokens; what cannot be read is named."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest

from social_provenance.convert_gguf import convert, find_gguf, main
from social_provenance.errors import ModelError
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

TEXT = "Anna thanked Ben. The rod became hot near the court."
NAMES = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}
PARTS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    **{f"self_attn.{each}_proj": f"attn_{each}" for each in "qkv"},
    "self_attn.o_proj": "attn_output",
    **{f"mlp.{each}_proj": f"ffn_{each}" for each in ("gate", "up", "down")},
}


@dataclass(frozen=True)
class Packing:
    """What a test varies of a file."""

    architecture: str = "llama"
    pre: str = "gpt-2"
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32
    without: frozenset[str] = field(default_factory=frozenset)


@contextmanager
def refused(*pieces: str) -> Iterator[None]:
    """Expect one line that has all pieces."""
    with pytest.raises(ModelError) as caught:
        yield
    assert "\n" not in str(caught.value)
    assert [piece for piece in pieces if piece not in str(caught.value)] == []


def packed_name(name: str) -> str:
    if found := re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.weight", name):
        return f"blk.{found[1]}.{PARTS[found[2]]}.weight"
    return f"{NAMES[name.removeprefix('model.').removesuffix('.weight')]}.weight"


def interleave(weight: np.ndarray, heads: int) -> np.ndarray:
    """Return rows in the order of files: the two halves that a rotary embedding turns, alternating."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def pack(file: Path, folder: Path, packing: Packing | None = None) -> Path:
    """Write the Llama model of a folder as a GGUF file."""
    packing = packing or Packing()
    model, config = LanguageModel(str(folder)).load(), json.loads((folder / "config.json").read_text())
    tokens = json.loads((folder / "tokenizer.json").read_text())
    heads = config["num_attention_heads"]
    writer = gguf.GGUFWriter(file, packing.architecture)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    vocabulary = sorted(tokens["model"]["vocab"], key=tokens["model"]["vocab"].get)
    special = {each["content"] for each in tokens["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(packing.pre)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3 if token in special else 1 for token in vocabulary])
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in tokens["model"]["merges"]]
    )
    writer.add_eos_token_id(config["eos_token_id"])
    for name, weight in model.state_dict().items():
        values = weight.cpu().numpy()
        if name in packing.without:
            continue
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            values = interleave(values, heads)
        kind = packing.kind if values.ndim > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(packed_name(name), gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return LanguageModel.at(str(folder)).load().state_dict()


@pytest.fixture
def packed(tmp_path: Path, llama_folder: Path) -> Path:
    return pack(tmp_path / "tiny.gguf", llama_folder)


def test_an_unpacked_file_is_the_model_that_was_packed(packed: Path, llama_folder: Path, tmp_path: Path) -> None:
    convert(packed, tmp_path / "model")
    before, after = weights(llama_folder), weights(tmp_path / "model")
    assert before.keys() == after.keys()
    assert all(bool((before[name] == after[name]).all()) for name in before)
    assert "quantization_config" not in json.loads((tmp_path / "model" / "config.json").read_text())


@pytest.mark.parametrize("text", [TEXT, "", "  two  spaces\n\n", "naïve 中文", "<|endoftext|>Anna"])
def test_an_unpacked_tokenizer_gives_the_same_tokens(
    packed: Path, llama_folder: Path, tmp_path: Path, text: str
) -> None:
    convert(packed, tmp_path / "model")
    before, after = (LanguageModel(str(each)).tokenizer() for each in (llama_folder, tmp_path / "model"))
    assert before(text)["input_ids"] == after(text)["input_ids"]
    assert after.decode(after(text)["input_ids"]) == text


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
def test_quantised_weights_have_the_values_of_their_blocks(llama_folder: Path, tmp_path: Path, kind: str) -> None:
    quantised = gguf.GGMLQuantizationType[kind]
    convert(pack(tmp_path / "tiny.gguf", llama_folder, Packing(kind=quantised)), tmp_path / "model")
    before, after = weights(llama_folder), weights(tmp_path / "model")
    for name, weight in before.items():
        values = weight.cpu().numpy()
        # Blocks are along rows, so the order of rows does not change them.
        blocks = gguf.dequantize(gguf.quantize(values, quantised), quantised) if values.ndim > 1 else values
        assert np.array_equal(after[name].cpu().numpy(), blocks)


def test_half_the_size_costs_precision_and_nothing_else(packed: Path, llama_folder: Path, tmp_path: Path) -> None:
    import torch

    convert(packed, tmp_path / "model", "bfloat16")
    before, after = weights(llama_folder), weights(tmp_path / "model")
    assert all(bool((before[name].to(torch.bfloat16).float() == after[name]).all()) for name in before)
    assert any(not bool((before[name] == after[name]).all()) for name in before)


def test_each_digit_is_a_piece_where_the_file_says_so(llama_folder: Path, tmp_path: Path) -> None:
    pieces = {}
    for pre in ("smollm", "gpt-2"):
        convert(pack(tmp_path / f"{pre}.gguf", llama_folder, Packing(pre=pre)), tmp_path / pre)
        split = LanguageModel(str(tmp_path / pre)).tokenizer().backend_tokenizer.pre_tokenizer.pre_tokenize_str
        pieces[pre] = [piece for piece, _ in split("in 1984\n\n7 of x2")]
    assert pieces["smollm"] == ["in", "Ġ", *"1984", "ĊĊ", "7", "Ġof", "Ġx", "2"]
    assert pieces["gpt-2"] == ["in", "Ġ1984", "Ċ", "Ċ", "7", "Ġof", "Ġx", "2"]


def test_an_unknown_pre_tokenizer_needs_the_original_tokenizer(llama_folder: Path, tmp_path: Path) -> None:
    file = pack(tmp_path / "tiny.gguf", llama_folder, Packing(pre="newest"))
    with refused(str(file), "the pre-tokenizer 'newest'", "--tokenizer DIR"):
        convert(file, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    convert(file, tmp_path / "model", tokenizer=llama_folder)
    before, after = (LanguageModel(str(each)).tokenizer() for each in (llama_folder, tmp_path / "model"))
    assert before(TEXT)["input_ids"] == after(TEXT)["input_ids"]
    with refused(f"there is no tokenizer at {tmp_path / 'nowhere'}"):
        convert(file, tmp_path / "other", tokenizer=tmp_path / "nowhere")


def test_the_only_file_of_a_folder_is_found_and_two_are_refused(packed: Path) -> None:
    assert find_gguf(packed.parent) == find_gguf(packed) == packed
    shutil.copy(packed, packed.with_name("other.gguf"))
    with refused(f"{packed.parent} has 2 GGUF files (other.gguf, tiny.gguf): name one"):
        find_gguf(packed.parent)
    with refused(f"there is no GGUF file at {packed.parent / 'nowhere'}"):
        find_gguf(packed.parent / "nowhere")


def of_unknown_architecture(file: Path, folder: Path) -> str:
    pack(file, folder, Packing(architecture="newest"))
    return "architecture newest is not supported"


def of_unknown_quantisation(file: Path, folder: Path) -> str:
    content = bytearray(pack(file, folder).read_bytes())
    place = content.index(b"blk.0.attn_v.weight") + len("blk.0.attn_v.weight") + 4 + 2 * 8
    content[place : place + 4] = (99).to_bytes(4, "little")
    file.write_bytes(content)
    return "99"


def cut_short(file: Path, folder: Path) -> str:
    content = pack(file, folder).read_bytes()
    file.write_bytes(content[: len(content) * 3 // 4])
    return "Error"


def of_another_format(file: Path, folder: Path) -> str:
    shutil.copy(folder / "config.json", file)
    return "GGUF magic"


@pytest.mark.parametrize("spoil", [of_unknown_architecture, of_unknown_quantisation, cut_short, of_another_format])
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    spoil: Callable[[Path, Path], str], llama_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tiny.gguf"
    reason = spoil(file, llama_folder)
    with refused(f"{file} cannot be read (", reason, "give a complete GGUF file whose architecture and"):
        convert(file, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_weight_is_not_drawn_at_random(llama_folder: Path, tmp_path: Path) -> None:
    lost = "model.layers.0.mlp.up_proj.weight"
    file = pack(tmp_path / "tiny.gguf", llama_folder, Packing(without=frozenset({lost})))
    with refused(f"{file} has no weight {lost!r}"):
        convert(file, tmp_path / "model")


def test_without_the_package_the_command_that_installs_it_is_named(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with refused(f"{packed} needs the package gguf", "uv sync --extra gguf"):
        convert(packed, tmp_path / "model")


def test_the_command_writes_a_new_folder_and_overwrites_none(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "models" / "tiny"
    assert main([str(packed), str(target)]) == 0
    assert capsys.readouterr().out == f"{packed} is unpacked: give --params model={target}\n"
    before = {file.name: file.stat().st_mtime_ns for file in target.iterdir()}
    with pytest.raises(SystemExit, match="1"):
        main([str(packed), str(target)])
    assert f"{target} exists already and is not overwritten" in capsys.readouterr().err
    assert {file.name: file.stat().st_mtime_ns for file in target.iterdir()} == before
    assert [each.name for each in target.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize(
    "words", [[], ["a.gguf"], ["a", "b", "c"], ["a", "b", "--dtype", "int3"], ["a", "b", "--nope"]]
)
def test_what_the_command_does_not_take_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(words)
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"error: .*; see `python -m social_provenance.convert_gguf --help`", line)


def test_a_packed_model_is_refused_with_the_command(packed: Path) -> None:
    for place in (packed, packed.parent):
        with refused(f"{place} has packed weights", f"convert_gguf {place} DIR", "--params model=DIR"):
            LanguageModel.at(str(place))


@pytest.mark.slow
def test_a_real_file_speaks_english_after_unpacking(tmp_path: Path) -> None:
    import torch

    place = os.environ.get("SOCIAL_PROVENANCE_GGUF")
    if place is None:
        pytest.skip("needs a pretrained model, which is not ours to ship: name its GGUF file in SOCIAL_PROVENANCE_GGUF")
    convert(Path(place), tmp_path / "model")
    unpacked = LanguageModel.at(str(tmp_path / "model"))
    model, tokenizer = unpacked.load(), unpacked.tokenizer()
    text = (
        "Plants use sunlight to make sugar from carbon dioxide and water. In the process they release oxygen, which "
        "animals need to breathe."
    )
    ids = tokenizer(text, return_tensors="pt")["input_ids"].to(model.device)
    with torch.no_grad():
        loss = float(model(ids, labels=ids).loss)
    # Wrongly ordered rotary rows, an untied head or other tokens cost several nats each.
    assert loss < 4.0
    assert "Paris" in continuation(model, tokenizer, "The capital of France is")


def continuation(model: Any, tokenizer: Any, prompt: str) -> str:
    import torch

    ids = tokenizer(prompt, return_tensors="pt")["input_ids"].to(model.device)
    for _ in range(3):
        with torch.no_grad():
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], 1)
    return str(tokenizer.decode(ids[0]))
