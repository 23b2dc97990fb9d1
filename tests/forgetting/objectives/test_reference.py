"""The reference is the model before unlearning, whatever is trained afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.forgetting.objectives.reference import reference_losses, reference_of, untouched
from social_provenance.training.batches import pad, read_losses

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.training.batches import Batch


def _logits_of(model: Any, batch: Batch) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    return logits


def _logits(reference: Any, documents: list[list[int]]) -> torch.Tensor:
    with reference() as before:
        return _logits_of(before, pad(documents))


def test_all_weights_are_kept_as_a_copy(model: Any, forget: list[list[int]], move: Callable[..., Any]) -> None:
    reference = reference_of(model)
    before = _logits_of(model.eval(), pad(forget)).detach()
    move(model)
    assert torch.equal(_logits(reference, forget), before)
    assert not torch.equal(_logits_of(model, pad(forget)), before)


def test_adapters_need_no_copy(
    model: Any, forget: list[list[int]], move: Callable[..., Any], adapted: Callable[..., Any]
) -> None:
    own = adapted(model)
    reference = reference_of(own)
    move(own)
    with reference() as before:
        assert before is own
    assert torch.equal(_logits(reference, forget), _logits(reference_of(model), forget))
    assert not torch.equal(_logits_of(own, pad(forget)), _logits(reference, forget))


def test_the_model_is_left_as_it_was(model: Any, adapted: Callable[..., Any]) -> None:
    for own in (model, adapted(model)):
        trainable = [parameter.requires_grad for parameter in own.parameters()]
        own.train()
        with untouched(own):
            assert not own.training
            assert not torch.is_grad_enabled()
        assert own.training
        assert torch.is_grad_enabled()
        assert [parameter.requires_grad for parameter in own.parameters()] == trainable


@pytest.mark.parametrize("size", [1, 2, 7])
def test_each_document_has_its_own_loss(model: Any, forget: list[list[int]], size: int) -> None:
    losses = reference_losses(model, forget, size).tolist()
    expected = read_losses(model, forget, 1)[:, 0].tolist()
    assert losses == pytest.approx(expected, rel=1e-5)
