"""The cosine of gradients as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.gradients.methods.store_methods import StoreMethod, unit_rows

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.methods.preconditioner import Preconditioner


class GradientCosine(StoreMethod):
    """Cosine of projected gradients, without a preconditioner: ``g(m) . g(q) / (|g(m)| |g(q)|)``."""

    name = "gradient_cosine"

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        del preconditioner
        return unit_rows(gradients)
