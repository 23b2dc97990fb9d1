"""Terms add up with their weights, and the divergence from the untouched model is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.forgetting.objectives.terms import (
    Value,
    ascent,
    divergence,
    gradient_norm,
    likelihood,
    preference,
    trainable_parameters,
    two_terms,
)
from social_provenance.training.batches import mean_loss, pad

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]


@pytest.mark.parametrize(("gamma", "alpha"), [(1.0, 1.0), (0.5, 3.0), (0.0, 2.0), (2.0, 0.0), (0.0, 0.0)])
def test_the_gradient_is_that_of_the_weighted_sum(
    model: Any,
    forget: Documents,
    retain: Documents,
    *,
    gradient: Callable[..., Any],
    left: Callable[..., Any],
    gamma: float,
    alpha: float,
) -> None:
    total = alpha * mean_loss(model, pad(retain)) - gamma * mean_loss(model, pad(forget))
    expected = gradient(total, model)
    step = two_terms(model, trainable_parameters(model), (gamma, ascent(model)), (alpha, likelihood(model)))
    measured = step(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), expected)
    assert measured["forget_objective"] == -measured["forget_loss"]
    assert ("forget_grad_norm" in measured) == (gamma != 0)
    assert ("retain_grad_norm" in measured) == (alpha != 0)


def test_the_norms_are_of_the_terms_before_they_are_weighted(
    model: Any, forget: Documents, retain: Documents, gradient: Callable[..., Any]
) -> None:
    step = two_terms(model, trainable_parameters(model), (0.1, ascent(model)), (7.0, likelihood(model)))
    measured = step(pad(forget), pad(retain))
    for name, documents in (("forget", forget), ("retain", retain)):
        norm = float(gradient(mean_loss(model, pad(documents)), model).norm())
        assert measured[f"{name}_grad_norm"] == pytest.approx(norm, rel=1e-5)


def test_parameters_that_are_left_out_get_no_gradient(model: Any, forget: Documents, retain: Documents) -> None:
    chosen = list(model.lm_head.parameters())
    two_terms(model, chosen, (1.0, ascent(model)), (1.0, likelihood(model)))(pad(forget), pad(retain))
    assert all((parameter.grad is None) == (parameter is not chosen[0]) for parameter in model.parameters())


def test_the_norm_of_no_gradient_is_zero() -> None:
    assert float(gradient_norm([None, None])) == 0.0
    assert float(gradient_norm([torch.tensor([3.0]), None, torch.tensor([4.0])])) == pytest.approx(5.0)


def test_the_divergence_is_zero_with_zero_gradient_at_the_start(
    model: Any, retain: Documents, gradient: Callable[..., Any]
) -> None:
    value = divergence(model)(pad(retain))
    assert value.objective is not None
    assert float(value.objective.detach()) == pytest.approx(0.0, abs=1e-6)
    scale = float(gradient(value.loss, model).norm())
    again = divergence(model)(pad(retain)).objective
    assert float(gradient(again, model).norm()) < 1e-5 * scale


def test_the_divergence_is_the_mean_over_predicted_tokens(
    model: Any, retain: Documents, move: Callable[..., Any]
) -> None:
    term = divergence(model)
    kept = [model(input_ids=torch.tensor([document])).logits[0, :-1].softmax(-1).detach() for document in retain]
    move(model)
    sums = []
    for before, document in zip(kept, retain, strict=True):
        after = model(input_ids=torch.tensor([document])).logits[0, :-1].softmax(-1).detach()
        sums.append(float((before * (before / after).log()).sum()))
    value = term(pad(retain))
    assert value.objective is not None
    assert float(value.objective.detach()) == pytest.approx(sum(sums) / sum(len(one) for one in kept), rel=1e-4)
    assert float(value.objective.detach()) > 0.01
    assert float(value.loss.detach()) == pytest.approx(float(mean_loss(model, pad(retain)).detach()), rel=1e-6)


@pytest.mark.parametrize("at_once", [1, 700, 10**9])
@pytest.mark.parametrize("adapters", [False, True])
def test_the_divergence_in_chunks_is_that_of_the_whole_batch(
    model: Any,
    retain: Documents,
    *,
    move: Callable[..., Any],
    gradient: Callable[..., Any],
    at_once: int,
    adapters: bool,
) -> None:
    from peft import LoraConfig, get_peft_model

    if adapters:  # the head among them, which is off where the untouched model is asked
        model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "lm_head"], task_type="CAUSAL_LM"))
    whole, chunked = divergence(model), divergence(model, at_once)
    move(model)
    (expected, towards), (found, same) = (
        (value.objective, gradient(value.objective, model)) for value in (one(pad(retain)) for one in (whole, chunked))
    )
    assert float(expected.detach()) > 0.001
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(same, towards, rtol=1e-4, atol=1e-6)


def test_the_divergence_pulls_back_to_the_untouched_model(
    model: Any, retain: Documents, move: Callable[..., Any], gradient: Callable[..., Any]
) -> None:
    kept = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])
    term = divergence(model)
    move(model, 0.01)
    moved = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])
    pull = -gradient(term(pad(retain)).objective, model)
    assert float(pull @ (kept - moved)) > 0


@pytest.mark.parametrize(("beta", "rise"), [(0.1, -3.0), (2.0, 0.0), (2.0, 1.5), (11.0, 0.4)])
def test_the_preference_is_its_formula(model: Any, forget: Documents, beta: float, rise: float) -> None:
    value = preference(model, beta, lambda _batch, losses, _counts: 0 * losses + rise)(pad(forget))
    expected = -(2 / beta) * torch.tensor(1 / (1 + 2.718281828459045 ** (-beta * rise))).log()
    assert isinstance(value, Value)
    assert value.objective is not None
    assert float(value.objective.detach()) == pytest.approx(float(expected), rel=1e-5)
