"""The training loop: what it does to a model of one weight can be worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from social_provenance.training.loop import Optimiser, cpu_threads, seeded, train

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = Optimiser(learning_rate=0.1, weight_decay=0.0)


class Weight(nn.Module):
    """A model of one weight."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))
        self.fixed = nn.Parameter(torch.tensor([3.0]), requires_grad=False)


def _push(model: Weight) -> Callable[[float], dict[str, float]]:
    def set_gradients(gradient: float) -> dict[str, float]:
        model.weight.grad = torch.tensor([gradient])
        return {"loss": gradient}

    return set_gradients


def _train(model: Weight, gradients: list[float], settings: Optimiser = PLAIN, **kept: Any) -> list[dict[str, float]]:
    seen: list[dict[str, float]] = []

    def after_step(step: int, measured: dict[str, float]) -> bool:
        seen.append({"step": step, **measured})
        return step < kept.get("last", 1000)

    train(model, gradients, _push(model), settings, kept.get("rate", lambda _: 1.0), after_step)
    return seen


def test_the_first_step_of_adamw_moves_by_the_learning_rate_against_the_gradient() -> None:
    model = Weight()
    _train(model, [0.3])
    assert float(model.weight.detach()) == pytest.approx(0.9, abs=1e-6)


def _adamw(
    weights: np.ndarray, gradients: np.ndarray, shares: np.ndarray, settings: Optimiser
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and average of squares after AdamW (Loshchilov and Hutter 2019), gradients clipped by norm."""
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step, (gradient, share) in enumerate(zip(gradients, shares, strict=True), start=1):
        clipped = gradient * min(1.0, settings.clip / float(np.linalg.norm(gradient)))
        mean = 0.9 * mean + 0.1 * clipped
        square = settings.beta2 * square + (1 - settings.beta2) * clipped**2
        unbiased = mean / (1 - 0.9**step), square / (1 - settings.beta2**step)
        rate = settings.learning_rate * share
        weights = weights - rate * settings.weight_decay * weights - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    return weights, square


@pytest.mark.parametrize("beta2", [0.5, 0.95, 0.999])
@pytest.mark.parametrize(("decay", "clip"), [(0.0, 1e6), (0.3, 1e6), (0.3, 1.0)])
def test_many_steps_are_those_of_adamw(beta2: float, decay: float, clip: float) -> None:
    rng = np.random.default_rng(0)
    start, gradients, shares = rng.normal(size=5), rng.normal(size=(8, 5)), np.linspace(1, 0.2, 8)
    settings = Optimiser(learning_rate=0.05, weight_decay=decay, beta2=beta2, clip=clip)
    model = nn.Linear(5, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(start[None]))

    def set_gradients(gradient: np.ndarray) -> dict[str, float]:
        model.weight.grad = torch.from_numpy(gradient[None].copy())
        return {}

    moments = train(model, gradients, set_gradients, settings, lambda step: float(shares[step - 1]), lambda *_: True)
    weights, square = _adamw(start, gradients, shares, settings)
    np.testing.assert_allclose(model.weight.detach().numpy()[0], weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(moments["weight"].numpy()[0], square, rtol=1e-5)


def test_weight_decay_is_decoupled_from_the_gradient() -> None:
    model = Weight(2.0)
    _train(model, [0.3], PLAIN.model_copy(update={"weight_decay": 0.5}))
    assert float(model.weight.detach()) == pytest.approx(2.0 - 0.1 * 0.5 * 2.0 - 0.1, abs=1e-6)


def test_the_rate_scales_a_step_and_nought_freezes_the_model() -> None:
    model, shares = Weight(), {1: 0.5, 2: 0.0}
    _train(model, [0.3, 0.3], rate=lambda step: shares[step])
    assert float(model.weight.detach()) == pytest.approx(0.95, abs=1e-6)


def test_a_gradient_beyond_the_clip_counts_as_one_at_the_clip() -> None:
    loud, soft = Weight(), Weight()
    noted = _train(loud, [400.0, 0.5])
    _train(soft, [1.0, 0.5])
    assert float(loud.weight.detach()) == pytest.approx(float(soft.weight.detach()), abs=1e-6)
    assert [one["grad_norm"] for one in noted] == [400.0, 0.5]  # noted as it was


def test_a_gradient_within_the_clip_stays() -> None:
    model, other = Weight(), Weight()
    _train(model, [0.5, 0.1])
    _train(other, [0.5, 0.1], PLAIN.model_copy(update={"clip": 1e6}))
    assert torch.equal(model.weight, other.weight)


def test_weights_that_need_no_gradient_stay() -> None:
    model = Weight()
    _train(model, [0.3] * 5, PLAIN.model_copy(update={"weight_decay": 0.5}))
    assert float(model.fixed) == 3.0


def test_training_stops_when_told_and_leaves_later_batches() -> None:
    batches = iter([0.1, 0.2, 0.3, 0.4])
    noted = _train(Weight(), batches, last=2)  # type: ignore[arg-type]
    assert [one["loss"] for one in noted] == [0.1, 0.2]
    assert list(batches) == [0.3, 0.4]


def test_training_ends_with_the_batches_and_none_are_no_step() -> None:
    assert len(_train(Weight(), [0.1, 0.2])) == 2
    model = Weight()
    assert _train(model, []) == []
    assert not model.training


def test_a_step_is_in_training_mode_and_the_end_is_not() -> None:
    model, modes = Weight(), []

    def set_gradients(_: float) -> dict[str, float]:
        modes.append(model.training)
        model.weight.grad = torch.tensor([1.0])
        return {}

    def evaluate(*_: Any) -> bool:
        model.eval()
        return True

    train(model, [1.0, 1.0], set_gradients, PLAIN, lambda _: 1.0, evaluate)
    assert modes == [True, True]
    assert not model.training


def test_gradients_do_not_pile_up_over_steps() -> None:
    model = Weight()

    def set_gradients(_: float) -> dict[str, float]:
        torch.autograd.backward(model.weight.sum() * 0.5)
        return {}

    norms = []
    train(model, [1.0] * 3, set_gradients, PLAIN, lambda _: 1.0, lambda _, seen: not norms.append(seen["grad_norm"]))
    assert norms == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize("fails", [False, True])
def test_a_seeded_block_leaves_the_stream_outside_as_it_was(fails: bool) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    try:
        with seeded(5):
            torch.rand(11)
            assert not fails
    except AssertionError:
        pass
    assert torch.equal(torch.rand(3), expected)


def test_a_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    draws = []
    for seed in (5, 5, 6):
        with seeded(seed):
            draws.append(torch.rand(3))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_threads_are_as_before_after_the_block() -> None:
    before = torch.get_num_threads()
    with cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_learning_rate_has_no_default() -> None:
    with pytest.raises(ValidationError, match=r"learning_rate\s+Field required"):
        Optimiser.model_validate({})
