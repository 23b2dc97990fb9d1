"""Normalised gradient difference (Bu et al. 2024, arXiv 2410.22086).

Each step descends along ``g_retain / |g_retain| - g_forget / |g_forget|``, so that neither loss
outweighs the other however large its gradient is. This is the algorithm of arXiv 2606.19625.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.forgetting.batches import mean_loss

if TYPE_CHECKING:
    import torch

    from social_provenance.forgetting.batches import Batch


def ngdiff(model: Any, forget: Batch, retain: Batch) -> dict[str, float]:
    """Leave the normalised gradient difference of a batch pair on the model.

    Args:
        model: In training mode, gradients zeroed.
        forget: Documents whose loss is to rise.
        retain: Documents whose loss is to stay.

    Returns:
        ``forget_loss`` and ``retain_loss`` (nats a token) and the norms of their gradients.
    """
    forget_loss, forget_gradient = _gradient(model, forget)
    retain_loss, retain_gradient = _gradient(model, retain)
    forget_norm, retain_norm = _norm(forget_gradient), _norm(retain_gradient)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter, away, towards in zip(parameters, forget_gradient, retain_gradient, strict=True):
        parameter.grad = towards / retain_norm - away / forget_norm
    return {
        "forget_loss": forget_loss,
        "retain_loss": retain_loss,
        "forget_grad_norm": float(forget_norm),
        "retain_grad_norm": float(retain_norm),
    }


def _gradient(model: Any, batch: Batch) -> tuple[float, list[torch.Tensor]]:
    import torch

    loss = mean_loss(model, batch)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return float(loss.detach()), list(torch.autograd.grad(loss, parameters))


def _norm(gradient: list[torch.Tensor]) -> torch.Tensor:
    import torch

    norm: torch.Tensor = torch.stack([part.norm() for part in gradient]).norm()
    return norm.clamp_min(1e-12)
