"""Simple negative preference optimisation (Fan et al. 2024, arXiv 2410.07163).

The forget term is the mean over documents of ``-(2 / beta) log sigmoid(beta * (nll / |y| - delta))``, where
``nll / |y|`` is the loss of a document in nats per token. It is NPO per token with one number, delta, in the
place of each document's own reference. The paper writes ``- gamma`` inside the sigmoid: that is ``beta * delta`` here,
for gamma is the weight of the term.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import PositiveFloat

from social_provenance.forgetting.objectives.terms import RetainTerm, TwoTerms, preference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.forgetting.objectives.terms import Term
    from social_provenance.training.batches import Tokens


class SimNPO(TwoTerms):
    """Raise the loss per token of documents above one bound for all, with a force that fades on the way."""

    name: Literal["simnpo"] = "simnpo"
    """Name in the parameters."""
    beta: PositiveFloat = 1.0
    """Inverse temperature, per (nat per token)."""
    delta: float = 0.0
    """Loss above which the force fades, nats per token."""
    retain: RetainTerm = "nll"
    """``nll``: the mean loss of the retain batch. ``kl``: the divergence from the untouched model."""

    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term:
        del forget, size  # nothing is compared with the untouched model
        return preference(model, self.beta, lambda _, losses, counts: losses / counts - self.delta)
