"""RMU steers one layer, holds it on what is retained, and is still where the target is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.rmu import RMU, activations, direction
from social_provenance.training.batches import pad

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]


def _hidden(model: Any, documents: Documents, layer: int) -> torch.Tensor:
    batch = pad(documents)
    states = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True)
    rows: torch.Tensor = states.hidden_states[layer + 1][batch.attention_mask == 1]
    return rows


@pytest.mark.parametrize("layer", [0, 1])
def test_the_activations_are_those_that_leave_the_layer_at_real_tokens(
    model: Any, forget: Documents, layer: int
) -> None:
    heard, _ = activations(model, layer, pad(forget))
    assert heard.shape == (sum(map(len, forget)), 32)
    torch.testing.assert_close(heard, _hidden(model, forget, layer))


def test_the_gradient_is_that_of_the_formula(
    model: Any,
    forget: Documents,
    retain: Documents,
    gradient: Callable[..., Any],
    left: Callable[..., Any],
    move: Callable[..., Any],
) -> None:
    step = RMU(layer=1, coefficient=3.0, alpha=5.0, seed=2).prepare(model, forget, retain, 2)
    kept = _hidden(model, retain, 1).detach()
    move(model)
    away = (_hidden(model, forget, 1) - 3.0 * direction(32, 2)).norm(dim=-1).square().mean()
    hold = (_hidden(model, retain, 1) - kept).norm(dim=-1).square().mean()
    expected = gradient(away + 5.0 * hold, model)
    measured = step(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-4)
    assert measured["forget_objective"] == pytest.approx(float(away.detach()), rel=1e-5)
    assert measured["retain_objective"] == pytest.approx(float(hold.detach()), rel=1e-5)


def test_at_the_target_nothing_pushes(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any]
) -> None:
    """Layers that add nothing to an embedding that is the target already."""
    algorithm = RMU(layer=1, coefficient=4.0, seed=3)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(4.0 * direction(32, 3))
        for block in model.model.layers:
            block.self_attn.o_proj.weight.zero_()
            block.mlp.down_proj.weight.zero_()
    measured = algorithm.prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    assert measured["forget_objective"] == 0.0
    assert float(left(model).norm()) == 0.0


def test_at_the_start_the_retained_activations_do_not_pull(model: Any, forget: Documents, retain: Documents) -> None:
    measured = RMU().prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    assert measured["retain_objective"] == 0.0
    assert measured["retain_grad_norm"] == 0.0
    assert measured["forget_objective"] > 0.1


def test_the_middle_layer_is_steered_and_those_above_stay(model: Any, forget: Documents, retain: Documents) -> None:
    RMU().prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    below = ("model.embed_tokens", "model.layers.0", "model.layers.1")
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == name.startswith(below), name


def test_only_the_named_layers_are_trained(model: Any, forget: Documents, retain: Documents) -> None:
    RMU(layer=2, trained_layers=(1,)).prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == name.startswith("model.layers.1."), name


def test_the_direction_is_a_unit_vector_of_its_seed() -> None:
    assert float(direction(64, 0).norm()) == pytest.approx(1.0)
    assert bool((direction(64, 0) >= 0).all())
    assert torch.equal(direction(64, 0), direction(64, 0))
    assert not torch.equal(direction(64, 0), direction(64, 1))


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [
        (RMU(layer=3), r"rmu: layer is 3 and the model has 3 layer\(s\): give 0 to 2"),
        (RMU(layer=0, trained_layers=(0, 2)), "trained_layers has 2, above the steered layer 0"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(
    model: Any, forget: Documents, retain: Documents, algorithm: RMU, said: str
) -> None:
    with pytest.raises(UnlearningError, match=said):
        algorithm.prepare(model, forget, retain, 2)


def test_layers_without_trainable_weights_are_refused(model: Any, forget: Documents, retain: Documents) -> None:
    for parameter in model.model.layers[0].parameters():
        parameter.requires_grad_(False)
    with pytest.raises(UnlearningError, match=r"nothing in trained_layers \[0\] is trainable"):
        RMU(trained_layers=(0,)).prepare(model, forget, retain, 2)


def test_a_model_without_a_list_of_layers_is_refused(model: Any, forget: Documents, retain: Documents) -> None:
    model.config.num_hidden_layers = 5
    with pytest.raises(UnlearningError, match="a llama model has no list of 5 layers"):
        RMU().prepare(model, forget, retain, 2)
