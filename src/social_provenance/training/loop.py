"""The training loop; its caller defines the gradient of a batch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from social_provenance.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import torch


class Optimiser(Parameters):
    """AdamW (Loshchilov & Hutter 2019) with a clipped gradient."""

    learning_rate: PositiveFloat
    """Peak learning rate."""
    weight_decay: NonNegativeFloat = 0.01
    """Decoupled weight decay."""
    beta2: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Decay of the second-moment average; beta1 is 0.9."""
    clip: PositiveFloat = 1.0
    """Upper bound on the norm of the gradient."""
    threads: PositiveInt = 1
    """CPU threads; more than one is faster only on an otherwise idle machine."""


def train(
    model: Any,
    batches: Iterable[Any],
    set_gradients: Callable[[Any], dict[str, float]],
    settings: Optimiser,
    rate: Callable[[int], float],
    after_step: Callable[[int, dict[str, float]], bool],
) -> dict[str, torch.Tensor]:
    """Take optimiser steps until the batches end or ``after_step`` returns False.

    Args:
        model: Model, trained in place; in training mode during a step.
        batches: One batch per step.
        set_gradients: Puts the gradient of a batch on the parameters and returns measurements, such as the
            loss.
        settings: Optimiser.
        rate: Step (from 1) -> share of the peak learning rate, 0 to 1.
        after_step: Step and measurements -> whether to go on.

    Returns:
        Parameter -> AdamW's average of its squared gradient, of its shape; empty without a step.
    """
    import torch

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, settings.beta2)
    )
    with cpu_threads(settings.threads):
        for step, batch in enumerate(batches, start=1):
            model.train()
            optimiser.zero_grad()
            measured = set_gradients(batch)
            norm = torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * rate(step)
            optimiser.step()
            if not after_step(step, {**measured, "grad_norm": float(norm)}):
                break
    model.eval()
    averages = ((name, optimiser.state.get(parameter, {})) for name, parameter in model.named_parameters())
    return {name: average["exp_avg_sq"] for name, average in averages if average}


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Use ``count`` CPU threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's random numbers inside the block, and restore their state after it."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
