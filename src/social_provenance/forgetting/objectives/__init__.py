"""Unlearning algorithms, one a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.grad_ascent import GradAscent
from social_provenance.forgetting.objectives.grad_diff import GradDiff
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.npo import NPO
from social_provenance.forgetting.objectives.rmu import RMU
from social_provenance.forgetting.objectives.simnpo import SimNPO

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALGORITHMS", "NPO", "RMU", "Algorithm", "GradAscent", "GradDiff", "NGDiff", "Objective", "SimNPO", "Step"]

Algorithm = Annotated[NGDiff | GradAscent | GradDiff | NPO | SimNPO | RMU, Field(discriminator="name")]
"""What a parameter says: the name of an algorithm and its hyperparameters."""

ALGORITHMS: Mapping[str, Objective] = {
    kind.name: kind for kind in (NGDiff(), GradAscent(), GradDiff(), NPO(), SimNPO(), RMU())
}
"""Name in the parameters -> the algorithm with its default hyperparameters."""
