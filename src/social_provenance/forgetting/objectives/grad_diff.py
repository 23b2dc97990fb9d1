"""Gradient difference (Liu, Liu and Stone 2022, arXiv 2203.12817).

Maini et al. 2024 (arXiv 2401.06121) brought it to language models.
A step minimises ``gamma * -CE(forget) + alpha * L_retain`` with means over the batch's tokens;
``L_retain`` is ``CE(retain)``, or KL(untouched || model) on the retain batch. The forget term has no bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from social_provenance.forgetting.objectives.terms import RetainTerm, TwoTerms, ascent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.forgetting.objectives.terms import Term
    from social_provenance.training.batches import Tokens


class GradDiff(TwoTerms):
    """Raise the forget loss and hold the retain set."""

    name: Literal["grad_diff"] = "grad_diff"
    """Name in the parameters."""
    retain: RetainTerm = "nll"
    """``nll``: the mean loss of the retain batch. ``kl``: the divergence from the untouched model."""

    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term:
        del forget, size  # nothing is compared with the untouched model
        return ascent(model)
