"""Normalised gradient difference (Bu et al. 2024, arXiv 2410.22086).

Each step descends along ``g_retain / |g_retain| - g_forget / |g_forget|``, so that neither loss
outweighs the other however large its gradient is. This is the algorithm of arXiv 2606.19625.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.terms import gradient_norm, trainable_parameters
from social_provenance.training.batches import mean_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from social_provenance.training.batches import Batch, Tokens


class NGDiff(Objective):
    """Normalised gradient difference; it has no weights, for a step is the same whatever scales its losses."""

    name: Literal["ngdiff"] = "ngdiff"
    """Name in the parameters."""

    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step:
        del forget, size  # nothing is compared with the untouched model
        parameters = trainable_parameters(model)

        def step(forget_batch: Batch, retain_batch: Batch) -> dict[str, float]:
            forget_loss, forget_gradient = _gradient(model, parameters, forget_batch)
            retain_loss, retain_gradient = _gradient(model, parameters, retain_batch)
            forget_norm, retain_norm = (
                gradient_norm(gradient).clamp_min(1e-12) for gradient in (forget_gradient, retain_gradient)
            )
            for parameter, away, towards in zip(parameters, forget_gradient, retain_gradient, strict=True):
                parameter.grad = towards / retain_norm - away / forget_norm
            return {
                "forget_loss": forget_loss,
                "retain_loss": retain_loss,
                "forget_grad_norm": float(forget_norm),
                "retain_grad_norm": float(retain_norm),
            }

        return step


def _gradient(model: Any, parameters: Sequence[torch.nn.Parameter], batch: Batch) -> tuple[float, list[torch.Tensor]]:
    import torch

    loss = mean_loss(model, batch)
    return float(loss.detach()), list(torch.autograd.grad(loss, parameters))
