"""Parameters of the corpus pipeline."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator


class Documents(BaseModel):
    """Which records become documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_chars: PositiveInt = 50
    """Shortest text, in characters after normalisation."""
    max_chars: PositiveInt = 1_000_000
    """Longest text, in characters after normalisation."""
    max_malformed_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a shard's records that may be unusable; they are then put aside with their
    reason. With 0 the first one ends the run."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Documents:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) exceeds max_chars ({self.max_chars})")
        return self
