"""Gradient ascent on the forget set (Jang et al. 2022, arXiv 2210.01504).

A step minimises ``gamma * -CE(forget)``, the mean over the batch's tokens. Nothing holds the retain
set, and the loss is unbounded: the result depends on where it stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import NonNegativeFloat

from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.terms import ascent, likelihood, trainable_parameters, two_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.training.batches import Tokens


class GradAscent(Objective):
    """Raise the forget loss, and nothing else."""

    name: Literal["grad_ascent"] = "grad_ascent"
    """Name in the parameters."""
    gamma: NonNegativeFloat = 1.0
    """Weight of the forget term; at 0 a step changes nothing."""

    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step:
        del forget, size  # nothing is compared with the untouched model
        return two_terms(model, trainable_parameters(model), (self.gamma, ascent(model)), (0.0, likelihood(model)))
