"""Simple negative preference optimisation (Fan et al. 2024, arXiv 2410.07163).

The forget term is the mean over documents of ``-(2 / beta) log sigmoid(beta * (nll / |y| - delta))``, where
``nll / |y|`` is the loss of a document in nats a token. It is NPO a token with one number, delta, in the
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
    """Push documents above one loss a token, each the less the further it is."""

    name: Literal["simnpo"] = "simnpo"
    """What parameters call it."""
    beta: PositiveFloat = 1.0
    """Inverse temperature, of nats a token."""
    delta: float = 0.0
    """Loss from which the push fades, nats a token."""
    retain: RetainTerm = "nll"
    """``nll``: the mean loss of the retain batch. ``kl``: the divergence from the untouched model."""

    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term:
        del forget, size  # nothing is compared with the untouched model
        return preference(model, self.beta, lambda _, losses, counts: losses / counts - self.delta)
