"""All weights are moved, or adapters only; both are kept as safetensors that say where they are from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of_path
from social_provenance.forgetting.runs.trainable import (
    ORIGIN,
    check_targets,
    checkpoint_bytes,
    make_trainable,
    save_checkpoint,
)
from social_provenance.forgetting.settings import Lora

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LORA = Lora(rank=2, alpha=4, dropout=0.1, targets=("q_proj", "v_proj"))
IDS = torch.tensor([[5, 6, 7, 8]])
SAID = "unlearning.lora.targets: the model has no module {name!r} that takes an adapter: name some of"


def _trained(model: Any) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_without_adapters_the_model_is_itself_and_all_of_it_is_trained(tiny_model: Any) -> None:
    assert make_trainable(tiny_model, None) is tiny_model
    assert len(_trained(tiny_model)) == len(list(tiny_model.parameters()))


def test_fresh_adapters_change_nothing_and_are_all_that_is_trained(tiny_model: Any) -> None:
    before = tiny_model(input_ids=IDS).logits
    model = make_trainable(tiny_model, LORA).eval()
    assert torch.equal(model(input_ids=IDS).logits, before)
    assert all(".lora_" in name for name in _trained(model))
    modules = {name.split(".lora_")[0].rpartition(".")[2] for name in _trained(model)}
    assert modules == {"q_proj", "v_proj"}


def test_every_run_draws_the_same_adapters_and_leaves_the_random_stream(tiny_model: Any) -> None:
    import copy

    other = copy.deepcopy(tiny_model)
    torch.manual_seed(3)
    one = make_trainable(tiny_model, LORA).state_dict()
    drawn = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(3), drawn)
    torch.rand(11)
    again = make_trainable(other, LORA).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)


@pytest.mark.parametrize("targets", [("query",), ("q_proj", "query"), ("self_attn",), ("mlp", "q_proj"), ("norm",)])
def test_a_target_that_takes_no_adapter_is_named(tiny_model: Any, targets: Sequence[str]) -> None:
    lora = LORA.model_copy(update={"targets": targets})
    wrong = next(name for name in targets if name != "q_proj")
    with pytest.raises(UnlearningError) as caught:
        check_targets(tiny_model, lora)
    assert str(caught.value).startswith(SAID.format(name=wrong))
    assert "k_proj" in str(caught.value)
    for use in (lambda: checkpoint_bytes(tiny_model.config, lora), lambda: make_trainable(tiny_model, lora)):
        with pytest.raises(UnlearningError, match=f"no module '{wrong}'"):
            use()


@pytest.mark.parametrize("lora", [None, LORA, Lora(rank=3, targets=("embed_tokens", "down_proj"))], ids=str)
def test_the_size_of_a_checkpoint_is_known_from_the_configuration(
    tiny_model: Any, lora: Lora | None, tmp_path: Path
) -> None:
    expected = checkpoint_bytes(tiny_model.config, lora)
    model = make_trainable(tiny_model, lora)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert expected == 4 * sum(parameter.numel() for parameter in parameters)
    if lora is None or "embed_tokens" not in lora.targets:  # adapted embeddings are kept whole, besides
        save_checkpoint(model, tmp_path / "kept", {})
        (weights,) = (tmp_path / "kept").glob("*.safetensors")
        assert 0 <= weights.stat().st_size - expected < 4096  # names and shapes


def test_adapters_are_kept_without_the_place_of_their_model(tiny_model: Any, tmp_path: Path) -> None:
    digests = set()
    for place in ("/a/model", "/another/place"):
        model = make_trainable(tiny_model, LORA)
        model.peft_config["default"].base_model_name_or_path = place
        digests.add(save_checkpoint(model, tmp_path / str(len(digests)), {}))
        tiny_model = model.unload()
    assert len(digests) == 1


def test_what_is_kept_says_where_it_is_from_and_its_digest_covers_that(tiny_model: Any, tmp_path: Path) -> None:
    origin = {"run_id": "a.run", "plan": "0123", "model": "89ab"}
    digest = save_checkpoint(tiny_model, tmp_path / "one", origin)
    assert json.loads((tmp_path / "one" / ORIGIN).read_text()) == origin
    assert digest == digest_of_path(tmp_path / "one")
    assert save_checkpoint(tiny_model, tmp_path / "two", origin) == digest
    assert save_checkpoint(tiny_model, tmp_path / "three", {**origin, "plan": "4567"}) != digest
