"""Gradient ascent follows the forget gradient upwards and knows nothing else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch

from social_provenance.forgetting.objectives.grad_ascent import GradAscent
from social_provenance.training.batches import mean_loss, pad, pairs
from social_provenance.training.loop import Optimiser, train

if TYPE_CHECKING:
    from collections.abc import Callable

    Documents = list[list[int]]


def test_the_gradient_is_minus_that_of_the_mean_loss(
    model: Any, forget: Documents, retain: Documents, gradient: Callable[..., Any], left: Callable[..., Any]
) -> None:
    expected = -gradient(mean_loss(model, pad(forget)), model)
    GradAscent().prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), expected)
    GradAscent(gamma=0.25).prepare(model, forget, retain, 2)(pad(forget), pad(retain))
    torch.testing.assert_close(left(model), 0.25 * expected)


def test_what_is_retained_does_not_matter(
    model: Any, forget: Documents, retain: Documents, left: Callable[..., Any]
) -> None:
    step = GradAscent().prepare(model, forget, retain, 2)
    step(pad(forget), pad(retain))
    one = left(model)
    step(pad(forget), pad([[70, 71, 72]]))
    assert torch.equal(left(model), one)


def test_with_weight_zero_a_run_changes_nothing(model: Any, forget: Documents, retain: Documents) -> None:
    before = copy.deepcopy(model.state_dict())
    step = GradAscent(gamma=0).prepare(model, forget, retain, 2)
    settings = Optimiser(learning_rate=0.1, weight_decay=0.5)
    taken = []
    train(
        model,
        pairs(forget, retain, 2, 3, 0),
        lambda pair: step(*pair),
        settings,
        lambda _: 1.0,
        lambda number, _: taken.append(number) is None,
    )
    assert taken == [1, 2, 3]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
