"""Parameters of the plan pipeline."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PositiveInt


class Plan(BaseModel):
    """How much is looked at before a big run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: PositiveInt = 2
    """Shards to read, evenly spaced."""
    texts: PositiveInt = 64
    """Documents to tokenise and to try the model on."""
    cleaned_a_second: PositiveInt = 50_000
    """Records that are compared, by text and by signature, and written in a second."""
    labels_a_second: PositiveInt = 1000
    """Documents that are labelled in a second."""
    processes: PositiveInt = 2
    """Processes that read shards: the threads of the connection."""
