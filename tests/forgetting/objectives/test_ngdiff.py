"""NGDiff leaves exactly g_retain / |g_retain| - g_forget / |g_forget| on the model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.training.batches import Batch, mean_loss, pad

DOCUMENTS = [[5, 6, 7, 8], [9, 10]], [[11, 12, 13], [14, 15, 16]]
FORGET, RETAIN = (pad(documents) for documents in DOCUMENTS)


def _step(model: Any, forget: Batch, retain: Batch) -> dict[str, float]:
    return NGDiff().prepare(model, *DOCUMENTS, size=2)(forget, retain)


def _flat(parts: Any) -> torch.Tensor:
    return torch.cat([part.reshape(-1) for part in parts])


def _left(model: Any) -> torch.Tensor:
    return _flat([parameter.grad for parameter in model.parameters() if parameter.requires_grad])


def _gradient(model: Any, batch: Any) -> torch.Tensor:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return _flat(torch.autograd.grad(mean_loss(model, batch), parameters))


def test_the_direction_is_the_difference_of_unit_gradients(tiny_model: Any) -> None:
    retain, forget = _gradient(tiny_model, RETAIN), _gradient(tiny_model, FORGET)
    measured = _step(tiny_model, FORGET, RETAIN)
    torch.testing.assert_close(_left(tiny_model), retain / retain.norm() - forget / forget.norm())
    assert measured["retain_grad_norm"] == pytest.approx(float(retain.norm()), rel=1e-5)
    assert measured["forget_grad_norm"] == pytest.approx(float(forget.norm()), rel=1e-5)
    assert measured["forget_loss"] == pytest.approx(float(mean_loss(tiny_model, FORGET).detach()))
    assert measured["retain_loss"] == pytest.approx(float(mean_loss(tiny_model, RETAIN).detach()))


def test_the_same_documents_on_both_sides_cancel(tiny_model: Any) -> None:
    _step(tiny_model, FORGET, FORGET)
    assert float(_left(tiny_model).norm()) < 1e-5


def test_swapping_the_sides_turns_the_sign(tiny_model: Any) -> None:
    _step(tiny_model, FORGET, RETAIN)
    one = _left(tiny_model)
    _step(tiny_model, RETAIN, FORGET)
    torch.testing.assert_close(_left(tiny_model), -one)


def test_a_small_step_raises_the_forget_loss_and_lowers_the_retain_loss(tiny_model: Any) -> None:
    before = _step(tiny_model, FORGET, RETAIN)
    with torch.no_grad():
        for parameter in tiny_model.parameters():
            parameter.sub_(0.01 * parameter.grad)
    assert float(mean_loss(tiny_model, FORGET).detach()) > before["forget_loss"]
    assert float(mean_loss(tiny_model, RETAIN).detach()) < before["retain_loss"]


def test_frozen_weights_get_no_gradient_and_do_not_count_in_the_norm(tiny_model: Any) -> None:
    for name, parameter in tiny_model.named_parameters():
        parameter.requires_grad_("mlp" in name)
    retain, forget = _gradient(tiny_model, RETAIN), _gradient(tiny_model, FORGET)
    _step(tiny_model, FORGET, RETAIN)
    torch.testing.assert_close(_left(tiny_model), retain / retain.norm() - forget / forget.norm())
    assert all(parameter.grad is None for name, parameter in tiny_model.named_parameters() if "mlp" not in name)


@pytest.mark.parametrize(("side", "scale"), [("forget", 7.0), ("retain", 0.01)])
def test_the_step_does_not_depend_on_the_scale_of_a_loss(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch, side: str, scale: float
) -> None:
    usual = _step(tiny_model, FORGET, RETAIN)
    expected = _left(tiny_model)
    scaled = FORGET if side == "forget" else RETAIN

    def loss(model: Any, batch: Batch) -> torch.Tensor:
        return mean_loss(model, batch) * (scale if batch is scaled else 1.0)

    monkeypatch.setattr("social_provenance.forgetting.objectives.terms.mean_loss", loss)
    measured = _step(tiny_model, FORGET, RETAIN)
    assert measured[f"{side}_grad_norm"] == pytest.approx(scale * usual[f"{side}_grad_norm"], rel=1e-4)
    torch.testing.assert_close(_left(tiny_model), expected, atol=1e-6, rtol=1e-4)
