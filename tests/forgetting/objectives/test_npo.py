"""NPO starts as gradient ascent on each document, stays it as beta goes to 0, and fades as beta grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
import torch

from social_provenance.forgetting.objectives.npo import NPO
from social_provenance.forgetting.objectives.terms import trainable_parameters
from social_provenance.training.batches import Batch, document_losses, pad, take

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]
    Per = Literal["token", "sequence"]

each_form = pytest.mark.parametrize("per", ["token", "sequence"])


def _ascent(model: Any, batch: Batch, per: Per) -> torch.Tensor:
    """Return minus the mean over documents of the loss that beta is multiplied with."""
    losses, counts = document_losses(model, batch)
    return -(losses / counts if per == "token" else losses).mean()


def _forget(model: Any, amount: float, documents: Documents) -> None:
    """Move the model up or down the loss of each document."""
    losses, _ = document_losses(model, pad(documents))
    gradients = torch.autograd.grad(losses.sum(), trainable_parameters(model))
    with torch.no_grad():
        for parameter, own in zip(trainable_parameters(model), gradients, strict=True):
            parameter.add_(amount * own)
        assert all((document_losses(model, pad(documents))[0] > losses) == (amount > 0))


@each_form
@pytest.mark.parametrize("beta", [0.1, 2.0, 50.0])
def test_at_the_reference_the_push_is_gradient_ascent_half_of_its_bound(
    model: Any,
    forget: Documents,
    retain: Documents,
    *,
    gradient: Callable[..., Any],
    left: Callable[..., Any],
    per: Per,
    beta: float,
) -> None:
    """The derivative of -(2 / b) log sigmoid(b d) by d is -2 sigmoid(-b d): -1 at 0, -2 at most."""
    expected = gradient(_ascent(model, pad(forget), per), model)
    NPO(beta=beta, per=per, alpha=0).prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), expected, atol=1e-3 * float(expected.abs().max()), rtol=1e-3)


@each_form
@pytest.mark.parametrize("amount", [0.02, -0.002], ids=["risen", "fallen"])
def test_as_beta_goes_to_zero_it_stays_gradient_ascent(
    model: Any,
    forget: Documents,
    retain: Documents,
    *,
    gradient: Callable[..., Any],
    left: Callable[..., Any],
    per: Per,
    amount: float,
) -> None:
    batch, off = pad(forget), []
    steps = {beta: NPO(beta=beta, per=per, alpha=0).prepare(model, forget, retain, 2) for beta in (1.0, 1e-2, 1e-4)}
    _forget(model, amount, forget)
    expected = gradient(_ascent(model, batch, per), model)
    for step in steps.values():
        step(batch, pad(retain))
        off.append(float((left(model) - expected).norm() / expected.norm()))
    assert off[0] > off[1] > off[2]
    assert off[2] < 1e-3


@each_form
def test_a_huge_beta_leaves_alone_what_has_risen(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any], per: Per
) -> None:
    step = NPO(beta=1e4, per=per, alpha=0).prepare(model, forget, retain, 2)
    _forget(model, 0.02, forget)
    assert step(pad(forget), pad(retain))["forget_objective"] == pytest.approx(0.0, abs=1e-6)
    assert float(left(model).norm()) < 1e-6


@each_form
def test_a_huge_beta_pushes_twice_at_what_has_fallen(
    model: Any, forget: Documents, retain: Documents, gradient: Callable[..., Any], left: Callable[..., Any], per: Per
) -> None:
    step = NPO(beta=1e4, per=per, alpha=0).prepare(model, forget, retain, 2)
    _forget(model, -0.002, forget)
    expected = 2 * gradient(_ascent(model, pad(forget), per), model)
    step(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-4)


def test_a_document_is_compared_with_its_own_reference(
    model: Any, forget: Documents, retain: Documents, move: Callable[..., Any]
) -> None:
    kept = [float(document_losses(model, pad([document]))[0].detach()) for document in forget]
    step = NPO(beta=0.5, per="sequence").prepare(model, forget, retain, 2)
    move(model)
    for row, document in enumerate(forget):
        risen = float(document_losses(model, pad([document]))[0].detach()) - kept[row]
        expected = -4 * float(torch.nn.functional.logsigmoid(torch.tensor(0.5 * risen)))
        assert step(take(forget, [row]), pad(retain))["forget_objective"] == pytest.approx(expected, rel=1e-4)


def test_for_documents_of_one_length_the_forms_are_one(
    model: Any, retain: Documents, left: Callable[..., Any], move: Callable[..., Any]
) -> None:
    """Beta on the rise of n tokens is n times beta on each; the term is then n times as large."""
    documents = [[5, 6, 7, 8], [20, 21, 22, 23]]
    token = NPO(beta=3.0, per="token", alpha=0).prepare(model, documents, retain, 2)
    sequence = NPO(beta=1.0, per="sequence", alpha=0).prepare(model, documents, retain, 2)
    move(model)
    one = token(pad(documents), pad(retain))["forget_objective"]
    gradient = left(model)
    assert sequence(pad(documents), pad(retain))["forget_objective"] == pytest.approx(3 * one, rel=1e-5)
    torch.testing.assert_close(left(model), 3 * gradient)
