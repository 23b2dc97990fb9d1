"""Parameters of the attribution pipeline."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PositiveInt


class Attribution(BaseModel):
    """Which part of the working set is attributed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt | None = None
    """Documents of each bin, a nested sample of the working set; null: all of it."""
