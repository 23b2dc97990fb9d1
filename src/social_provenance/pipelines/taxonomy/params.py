"""Parameters of the taxonomy pipeline."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt


class WorkingSet(BaseModel):
    """The stratified sample that is attributed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt = 10_000
    """Most documents of each of the 576 bins."""
    seed: int = 42
    """Orders the documents of a bin; a smaller sample with the same seed is a subset."""
    min_documents: NonNegativeInt = 0
    """Documents below which the sample is an error."""
