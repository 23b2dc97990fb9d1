"""TrackStar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.gradients.methods.store_methods import StoreMethod, unit_rows

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.methods.preconditioner import Preconditioner


class TrackStar(StoreMethod):
    """Cosine of preconditioned gradients (Chang et al., ICLR 2025).

    With ``G = R^(-1/2) g`` the preconditioned gradient, the score of document m for query q is
    ``G(m) . G(q) / (|G(m)| |G(q)|)``. The norm of a document's gradient does not count.
    """

    name = "trackstar"

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        return unit_rows(preconditioner.apply(gradients))
