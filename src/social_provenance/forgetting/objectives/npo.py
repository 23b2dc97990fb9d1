"""Negative preference optimisation (Zhang et al. 2024, arXiv 2404.05868).

The forget term is the mean over documents of ``-(2 / beta) log sigmoid(beta * (nll - nll_ref))``, where
``nll`` is the loss of a whole document and ``nll_ref`` that of the untouched model. Its derivative by ``nll`` is
``-2 sigmoid(-beta * (nll - nll_ref))``: -1 at the start and in the limit of beta 0, which is gradient
ascent on the documents' losses, and it fades once a document is forgotten.

On whole documents the fading comes after few nats, however long the document. ``per="token"``
puts ``(nll - nll_ref) / |y|`` in the place of ``nll - nll_ref``, with ``|y|`` the predicted tokens, so that beta
means the same for documents of any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import PositiveFloat

from social_provenance.forgetting.objectives.reference import reference_losses
from social_provenance.forgetting.objectives.terms import TwoTerms, preference

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from social_provenance.forgetting.objectives.terms import Term
    from social_provenance.training.batches import Batch, Tokens


class NPO(TwoTerms):
    """Lower the likelihood of documents below that under the untouched model, with a force that fades on the way."""

    name: Literal["npo"] = "npo"
    """Name in the parameters."""
    beta: PositiveFloat = 2.0
    """Inverse temperature: the gradient of a document halves once its loss has risen by about ``1.1 / beta``."""
    per: Literal["token", "sequence"] = "token"
    """Rise that beta is multiplied with: per token, or of the whole document (the paper's)."""

    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term:
        reference = reference_losses(model, forget, size)

        def rise(batch: Batch, losses: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
            risen = losses - reference[list(batch.rows)]
            return risen / counts if self.per == "token" else risen

        return preference(model, self.beta, rise)
