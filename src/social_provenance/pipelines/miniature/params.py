"""Parameters of the miniature world."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Share = Annotated[float, Field(gt=0, le=1)]


class Miniature(BaseModel):
    """A world, its corpus and its benchmarks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0)] = 42
    """Draws which topics carry the facts of which capability, and everything else."""
    documents_per_bin: PositiveInt = 4
    """Documents in each of the 576 bins."""
    document_chars: PositiveInt = 300
    """Length of a document's body, in characters."""
    facts_per_document: PositiveInt = 6
    """Facts that a carrier states."""
    carrier_share: Share = 0.5
    """Share of a planted topic's documents that carry facts."""
    labelled_share: Share = 0.6
    """Share of the documents that come with topic and format."""
    items_per_fact: PositiveInt = 4
    """Benchmark items that ask about a fact."""
    choices: Annotated[int, Field(ge=2, le=8)] = 4
    """Choices of an item."""
