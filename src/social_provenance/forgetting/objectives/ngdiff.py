"""Normalised gradient difference (Bu et al. 2024, arXiv 2410.22086).

Each step descends along ``g_retain / |g_retain| - g_forget / |g_forget|``, so that neither loss
outweighs the other however large its gradient is. This is the algorithm of arXiv 2606.19625.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.terms import differentiate, gradient_norm, likelihood, trainable_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.training.batches import Batch, Tokens


class NGDiff(Objective):
    """Normalised gradient difference; it has no weights, for a step is the same whatever scales its losses."""

    name: Literal["ngdiff"] = "ngdiff"
    """Name in the parameters."""

    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step:
        del forget, size  # nothing is compared with the untouched model
        parameters, term = trainable_parameters(model), likelihood(model)

        def step(forget_batch: Batch, retain_batch: Batch) -> dict[str, float]:
            forget_value, forget_gradient = differentiate(parameters, term, forget_batch)
            retain_value, retain_gradient = differentiate(parameters, term, retain_batch)
            forget_norm, retain_norm = (
                gradient_norm(gradient).clamp_min(1e-12) for gradient in (forget_gradient, retain_gradient)
            )
            for parameter, away, towards in zip(parameters, forget_gradient, retain_gradient, strict=True):
                parameter.grad = None if towards is None or away is None else towards / retain_norm - away / forget_norm
            return {
                "forget_loss": float(forget_value.loss),
                "retain_loss": float(retain_value.loss),
                "forget_grad_norm": float(forget_norm),
                "retain_grad_norm": float(retain_norm),
            }

        return step
