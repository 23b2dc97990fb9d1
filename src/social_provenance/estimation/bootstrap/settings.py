"""Parameters of the bootstrap."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from social_provenance.parameters import Parameters


class Bootstrap(Parameters):
    """Parameters of every bootstrap of a study."""

    replicates: PositiveInt = 1000
    """Number of replicates, and of permutations of labels."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Confidence level of every interval."""
    seed: int = 0
    """Seed of multipliers, splits, permutations and clusters."""
