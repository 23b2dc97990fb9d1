"""What is said of a model before its weights are there is what Bergson then finds in it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from datasets import Dataset

from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_run import Walker, quiet
from social_provenance.gradients.walk.coverage import (
    Coverage,
    inspect,
    refuse_flat,
    refuse_too_wide,
    warn_of_experts,
)
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
HEADS = {"head_dim": 16}
OWN: dict[str, dict[str, Any]] = {
    "Olmo3": SHAPE,
    "Llama": SHAPE,
    "GPT2": {"vocab_size": 96, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0},
    "Mamba": {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2, "bos_token_id": 0, "eos_token_id": 0},
    "Rwkv": {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2},
    "Mixtral": {**SHAPE, "num_local_experts": 3},
    "Olmoe": {**SHAPE, "num_experts": 4},
    "Qwen3Moe": {**SHAPE, **HEADS, "num_experts": 4, "moe_intermediate_size": 24, "mlp_only_layers": [0]},
    "GptOss": {**SHAPE, **HEADS, "num_local_experts": 4},
    "Llama4Text": {**SHAPE, **HEADS, "num_local_experts": 4, "intermediate_size_mlp": 40},
}
DENSE = ("Olmo3", "Llama", "GPT2", "Mamba", "Rwkv")
SEPARABLE = ("Mixtral", "Olmoe", "Qwen3Moe", "GptOss")
GLOB = "model.layers.*.mlp.experts"


def _config(kind: str, **changes: Any) -> Any:
    import transformers

    return getattr(transformers, f"{kind}Config")(**OWN[kind], **changes)


def _real(kind: str, moe_experts: str = "") -> Any:
    """Return the model with weights, as Bergson prepares it."""
    from transformers import AutoModelForCausalLM

    with quiet():
        from bergson.moe import expand_moe
    model = AutoModelForCausalLM.from_config(_config(kind))
    if moe_experts:
        expand_moe(model, moe_experts)
    return model


def _targets(model: Any) -> dict[str, tuple[int, int]]:
    """Return what Bergson collects the gradients of."""
    with quiet():
        from bergson.collector.collector import HookCollectorBase
    return {name: tuple(shape) for name, (_, shape, _) in HookCollectorBase.discover_targets(model.base_model).items()}


def _fused(model: Any) -> dict[str, int]:
    """Return the experts that are stacked in a real model."""
    layers = {name: module for name, module in model.named_modules() if name.endswith("experts")}
    return {
        name: sum(weight.numel() for weight in layer.parameters(recurse=False) if weight.ndim == 3)
        for name, layer in layers.items()
    }


def _log(caplog: pytest.LogCaptureFixture, coverage: Coverage, moe_experts: str = "") -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        warn_of_experts(coverage, moe_experts)
    info, *warnings = caplog.records
    assert info.levelno == logging.INFO
    assert {record.levelno for record in warnings} <= {logging.WARNING}
    assert len(warnings) <= 1
    return [info.getMessage(), *(record.getMessage() for record in warnings)]


@pytest.mark.parametrize("kind", OWN)
def test_the_modules_are_those_that_bergson_finds(kind: str) -> None:
    model = _real(kind)
    coverage = inspect(_config(kind))
    assert list(coverage.modules.items()) == list(_targets(model).items())
    body = dict(model.base_model.named_modules())
    assert coverage.covered == sum(body[name].weight.numel() for name in coverage.modules)
    assert coverage.parameters == sum(weight.numel() for weight in model.parameters())
    assert coverage.fused_experts == _fused(model)


@pytest.mark.parametrize("kind", SEPARABLE)
def test_experts_that_are_taken_apart_are_those_that_bergson_makes(kind: str) -> None:
    model = _real(kind, GLOB)
    coverage, fused = inspect(_config(kind), GLOB), inspect(_config(kind))
    assert coverage.modules == _targets(model)
    assert set(coverage.modules) - set(fused.modules) == {name for name in coverage.modules if ".expert_" in name}
    assert coverage.fused_experts == fused.fused_experts
    assert coverage.covered == fused.covered + sum(fused.fused_experts.values())
    assert coverage.parameters == fused.parameters
    assert inspect(_config(kind), f"nothing, {GLOB}") == coverage
    assert _targets(_real(kind, f"nothing, {GLOB}")) == coverage.modules


def test_a_dense_model_by_hand() -> None:
    """Per layer: queries and output 32 x 32, keys and values 16 x 32, three matrices of 32 x 48."""
    coverage = inspect(_config("Olmo3"))
    assert coverage.modules["layers.0.self_attn.k_proj"] == (16, 32)
    assert coverage.modules["layers.1.mlp.down_proj"] == (32, 48)
    assert len(coverage.modules) == 14
    assert coverage.covered == 2 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 48)
    assert coverage.fused_experts == {}


def test_a_transposed_weight_is_told_as_outputs_and_inputs() -> None:
    assert inspect(_config("GPT2")).modules["h.0.mlp.c_fc"] == (128, 32)


def test_tied_embeddings_count_once() -> None:
    tied, apart = (inspect(_config("Llama", tie_word_embeddings=tie)) for tie in (True, False))
    assert apart.parameters - tied.parameters == 96 * 32
    assert apart.covered == tied.covered


@pytest.mark.parametrize("kind", SEPARABLE)
def test_a_mixture_of_experts_is_fused_in_three_dimensions(kind: str) -> None:
    """What the warning rests on: were experts stored one by one, Bergson would find them by itself."""
    model = _real(kind)
    stacks = {name: weight.shape for name, weight in model.named_parameters() if weight.ndim == 3}
    assert {name.rsplit(".", 2)[1] for name in stacks} == {"experts"}
    coverage = inspect(_config(kind))
    assert sum(coverage.fused_experts.values()) == sum(shape.numel() for shape in stacks.values())
    assert coverage.separable == set(coverage.fused_experts)
    assert not any("experts" in name for name in coverage.modules)


@pytest.mark.parametrize("kind", DENSE)
def test_a_kernel_or_a_stack_of_vectors_is_no_expert(kind: str) -> None:
    assert inspect(_config(kind)).fused_experts == {}


def test_no_weight_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 7B model would not fit: every parameter stays on the meta device."""
    made = []
    create = torch.nn.Parameter.__new__

    def watch(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        made.append(data.device.type)
        return create(cls, data, requires_grad)

    monkeypatch.setattr(torch.nn.Parameter, "__new__", watch)
    inspect(_config("Olmo3"))
    assert set(made) == {"meta"}


def test_the_configuration_is_left_as_it_was() -> None:
    config = _config("Mixtral")
    before = config.to_dict()
    inspect(config, GLOB)
    assert config.to_dict() == before


def test_a_projection_as_wide_as_the_narrowest_module_is_allowed() -> None:
    coverage = inspect(_config("Olmo3"))
    for width in (1, 15, 16):
        refuse_too_wide(coverage, width)
    message = (
        r"^module 'layers\.0\.self_attn\.k_proj' has 16 outputs and 32 inputs, gradients\.projection_dim is 17: "
        r"lower gradients\.projection_dim to at most 16$"
    )
    with pytest.raises(AttributionError, match=message):
        refuse_too_wide(coverage, 17)


def test_the_first_module_is_named_and_the_narrowest_sets_the_limit() -> None:
    shapes = {"wide": (64, 64), "first": (40, 20), "narrowest": (8, 90), "other": (9, 9)}
    coverage = Coverage(shapes, 0, 1, {}, frozenset())
    with pytest.raises(AttributionError, match=r"'first' has 40 outputs and 20 inputs.* is 32: .* to at most 8$"):
        refuse_too_wide(coverage, 32)
    with pytest.raises(AttributionError, match=r"'narrowest' has 8 outputs and 90 inputs.* to at most 8$"):
        refuse_too_wide(coverage, 10)


def test_experts_that_are_taken_apart_limit_the_projection_too() -> None:
    config = _config("Mixtral")
    config.intermediate_size = 8
    refuse_too_wide(inspect(config), 16)
    with pytest.raises(AttributionError, match=r"expert_0\.down_proj' has 32 outputs and 8 inputs.* to at most 8$"):
        refuse_too_wide(inspect(config, GLOB), 16)


def test_a_dense_model_is_told_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    coverage = inspect(_config("Olmo3"))
    [told] = _log(caplog, coverage)
    assert told == f"gradients cover {coverage.covered / coverage.parameters:.1%} of {coverage.parameters:,} parameters"


def test_fused_experts_are_named_with_their_share_and_the_fix(caplog: pytest.LogCaptureFixture) -> None:
    coverage = inspect(_config("Mixtral"))
    experts = 2 * 3 * (2 * 48 * 32 + 32 * 48)
    assert coverage.fused_experts == dict.fromkeys((f"model.layers.{n}.mlp.experts" for n in (0, 1)), experts // 2)
    _, warning = _log(caplog, coverage)
    assert warning == (
        f"gradients leave out {experts / coverage.parameters:.1%} of all parameters, the fused experts of "
        f"model.layers.0.mlp.experts, model.layers.1.mlp.experts: set gradients.moe_experts to '{GLOB}'"
    )


@pytest.mark.parametrize("kind", SEPARABLE)
def test_the_fix_that_is_named_silences_the_warning(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    globs = _log(caplog, inspect(_config(kind)))[1].split("'")[1]
    coverage = inspect(_config(kind), globs)
    assert len(_log(caplog, coverage, globs)) == 1
    assert coverage.modules == _targets(_real(kind, globs))


def test_with_some_layers_taken_apart_the_others_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    first = "model.layers.0.mlp.experts"
    coverage = inspect(_config("Mixtral"), first)
    told, warning = _log(caplog, coverage, first)
    assert f"{coverage.covered / coverage.parameters:.1%}" in told
    assert f"{coverage.fused_experts[first] / coverage.parameters:.1%} of all parameters" in warning
    assert ", the fused experts of model.layers.1.mlp.experts: set" in warning
    globs = warning.split("'")[1]
    assert globs == f"{first},{GLOB}"
    assert len(_log(caplog, inspect(_config("Mixtral"), globs), globs)) == 1


def test_many_layers_are_named_by_the_first(caplog: pytest.LogCaptureFixture) -> None:
    names = {f"model.layers.{number}.mlp.experts": 10 for number in range(9)}
    _, warning = _log(caplog, Coverage({}, 5, 100, names, frozenset(names)))
    shown = ", ".join(list(names)[:3])
    assert f"90.0% of all parameters, the fused experts of {shown} and 6 more: set" in warning


def test_experts_that_cannot_be_taken_apart_are_said_to_be_so(caplog: pytest.LogCaptureFixture) -> None:
    coverage = inspect(_config("Llama4Text"))
    assert coverage.fused_experts
    assert coverage.separable == frozenset()
    assert _log(caplog, coverage)[1].endswith(": Bergson cannot take them apart")


@pytest.mark.parametrize(
    ("kind", "globs", "place"),
    [
        ("Mixtral", "layers.*.mlp.experts", "matches no layer"),
        ("Mixtral", "model.layers.*.mlp", "matches 'model.layers.0.mlp' (MixtralSparseMoeBlock), whose experts"),
        ("Mixtral", f"{GLOB},", "matches '' (MixtralForCausalLM), whose experts cannot be taken apart"),
        ("Llama4Text", "*.experts", "matches 'model.layers.0.feed_forward.experts' (Llama4TextExperts), whose"),
        ("Olmo3", GLOB, "matches no layer"),
    ],
)
def test_globs_that_bergson_would_stumble_over_are_refused(kind: str, globs: str, place: str) -> None:
    with pytest.raises(ValueError, match="moe_experts"):
        _real(kind, globs)
    with pytest.raises(AttributionError) as caught:
        inspect(_config(kind), globs)
    message = str(caught.value)
    assert message.startswith(f"gradients.moe_experts {globs!r} {place}")
    fix = f"set it to {GLOB!r}" if kind == "Mixtral" else "leave it empty, no layer of this model can be taken apart"
    assert message.endswith(f": {fix}")


# ---- architectures

FLAT: dict[str, dict[str, Any]] = {
    "OPT": {**SHAPE, "ffn_dim": 48, "word_embed_proj_dim": 32},
    "Qwen2Moe": {**SHAPE, "num_experts": 4, "moe_intermediate_size": 24, "shared_expert_intermediate_size": 24},
    "Mamba": OWN["Mamba"],
}
"""Architectures in which Bergson cannot tell the sequences of a batch apart."""


def _saved(kind: str, shape: dict[str, Any], tokenizer: Any, folder: Path) -> LanguageModel:
    import transformers
    from transformers import AutoModelForCausalLM

    config = getattr(transformers, f"{kind}Config")(**shape)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return LanguageModel(str(folder))


def _walk(model: LanguageModel, folder: Path) -> None:
    folder.mkdir()
    sequences = Dataset.from_dict({"input_ids": [[5, 6, 7, 8], [9, 8]], "length": [4, 2]})
    settings = GradientSettings(projection_dim=4, max_tokens=64, token_batch=64)
    Walker(model, settings, Distributed()).collect(sequences, folder)


@pytest.mark.parametrize("kind", ["Llama", "GPT2", "Mixtral"])
def test_an_architecture_that_bergson_walks_is_let_through(kind: str, tiny_tokenizer: Any, tmp_path: Path) -> None:
    model = _saved(kind, OWN[kind], tiny_tokenizer, tmp_path / "model")
    refuse_flat(model, inspect(model.config()))
    _walk(model, tmp_path / "gradients")


@pytest.mark.parametrize("kind", FLAT)
def test_an_architecture_that_bergson_stumbles_over_is_named_before_the_walk(
    kind: str, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    model = _saved(kind, FLAT[kind], tiny_tokenizer, tmp_path / "model")
    with pytest.raises(AttributionError) as caught:
        refuse_flat(model, inspect(model.config()))
    assert str(caught.value).startswith(f"model {model.path} ({kind}Config) gives module 'layers.0.") or kind == "OPT"
    assert str(caught.value).endswith("give a model of a tested architecture (docs/how_to/own_model.md)")
    with pytest.raises(
        AttributionError, match=rf"Bergson cannot take the gradients of model {re.escape(model.path)} \("
    ):
        _walk(model, tmp_path / "gradients")


def test_a_configuration_of_no_causal_model_is_named() -> None:
    from transformers import T5Config

    with pytest.raises(AttributionError, match=r"no causal language model can be made of T5Config \(ValueError: "):
        inspect(T5Config())
