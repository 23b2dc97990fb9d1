"""Gradient difference is ascent on one set and training on the other, and each alone in the limits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.forgetting.objectives.grad_ascent import GradAscent
from social_provenance.forgetting.objectives.grad_diff import GradDiff
from social_provenance.training.batches import Batch, mean_loss, pad, pairs
from social_provenance.training.loop import Optimiser, train

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]


def test_the_gradient_is_the_weighted_difference(
    model: Any, forget: Documents, retain: Documents, gradient: Callable[..., Any], left: Callable[..., Any]
) -> None:
    away, towards = (gradient(mean_loss(model, pad(documents)), model) for documents in (forget, retain))
    GradDiff(gamma=0.5, alpha=2).prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), 2 * towards - 0.5 * away)


def test_the_same_documents_on_both_sides_cancel(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any]
) -> None:
    GradDiff().prepare(model, forget, retain, 2)(pad(forget), pad(forget))
    assert float(left(model).norm()) == 0.0


def test_with_gamma_zero_a_run_is_plain_training_on_what_is_retained(
    model: Any, forget: Documents, retain: Documents
) -> None:
    plain, settings = copy.deepcopy(model), Optimiser(learning_rate=1e-3)

    def learn(pair: tuple[Batch, Batch]) -> dict[str, float]:
        mean_loss(plain, pair[1]).backward()  # type: ignore[no-untyped-call]
        return {}

    step = GradDiff(gamma=0).prepare(model, forget, retain, 2)
    batches = list(pairs(forget, retain, 2, 4, 0))
    train(plain, batches, learn, settings, lambda _: 1.0, lambda *_: True)
    train(model, batches, lambda pair: step(*pair), settings, lambda _: 1.0, lambda *_: True)
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("retained", [GradDiff(alpha=0), GradDiff(retain="kl")], ids=["alpha zero", "kl at the start"])
def test_without_a_pull_of_the_retain_term_it_is_gradient_ascent(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any], retained: GradDiff
) -> None:
    GradAscent().prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    ascent = left(model)
    retained.prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), ascent, atol=1e-5, rtol=1e-4)
