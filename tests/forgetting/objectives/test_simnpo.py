"""SimNPO is NPO a token with one number in the place of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.forgetting.objectives.npo import NPO
from social_provenance.forgetting.objectives.simnpo import SimNPO
from social_provenance.training.batches import document_losses, pad, take

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]


@pytest.mark.parametrize("beta", [0.1, 1.0, 4.5])
def test_with_a_documents_own_loss_as_delta_it_is_npo(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any], move: Callable[..., Any], beta: float
) -> None:
    losses, counts = document_losses(model, pad(forget))
    deltas = (losses / counts).tolist()
    npo = NPO(beta=beta, retain="nll").prepare(model, forget, retain, 2)
    steps = [SimNPO(beta=beta, delta=delta).prepare(model, forget, retain, 2) for delta in deltas]
    move(model)
    for row, simnpo in enumerate(steps):
        expected = npo(take(forget, [row]), pad(retain))
        gradient = left(model)
        assert simnpo(take(forget, [row]), pad(retain)) == pytest.approx(expected, rel=1e-4)
        torch.testing.assert_close(left(model), gradient, atol=1e-5, rtol=1e-4)


def test_the_objective_is_its_formula(model: Any, forget: Documents, retain: Documents) -> None:
    losses, counts = document_losses(model, pad(forget))
    expected = -(2 / 4.5) * torch.sigmoid(4.5 * (losses / counts - 0.3)).log().mean()
    measured = SimNPO(beta=4.5, delta=0.3).prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    assert measured["forget_objective"] == pytest.approx(float(expected.detach()), rel=1e-5)


def test_the_push_fades_above_delta(model: Any, forget: Documents, retain: Documents, left: Callable[..., Any]) -> None:
    norms = []
    for delta in (-50.0, 0.0, 50.0):
        step = SimNPO(beta=2.0, delta=delta, alpha=0).prepare(model, forget, retain, 2)
        step(pad(forget), pad(retain))
        norms.append(float(left(model).norm()))
    assert norms[0] < 1e-6 < norms[1] < norms[2]
