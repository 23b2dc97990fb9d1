"""The damped inverse-second-moment inner product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.gradients.methods.store_methods import StoreMethod

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.methods.preconditioner import Preconditioner


class Influence(StoreMethod):
    """Inner product of preconditioned gradients.

    With ``G = R^(-1/2) g``, the score of document m for query q is
    ``G(m) . G(q) = g(m)^T R^(-1) g(q)``: TrackStar (Chang et al., ICLR 2025) without unit norms.
    """

    name = "influence"

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        return preconditioner.apply(gradients)
