"""How intervals are made."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class Bootstrap(BaseModel):
    """Settings of every bootstrap of a study."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replicates: PositiveInt = 1000
    """Replicates."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Level of every interval."""
    seed: int = 0
    """Seed of the draws."""
