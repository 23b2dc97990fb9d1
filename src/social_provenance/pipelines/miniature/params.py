"""Parameters of the miniature world."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Share = Annotated[float, Field(gt=0, le=1)]


class Miniature(BaseModel):
    """Parameters of a world, its corpus and its benchmarks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0)] = 42
    """Seed of the planted topics, the facts and everything else of the world."""
    documents_per_bin: PositiveInt = 4
    """Number of documents in each of the 576 bins."""
    document_chars: PositiveInt = 300
    """Length of a document's body, in characters."""
    facts_per_document: PositiveInt = 6
    """Number of facts that a carrier states."""
    carrier_share: Share = 0.5
    """Share of a planted topic's documents that carry facts."""
    labelled_share: Share = 0.6
    """Share of the documents that are labelled with topic and format."""
    items_per_fact: PositiveInt = 4
    """Number of benchmark items about each fact."""
    choices: Annotated[int, Field(ge=2, le=8)] = 4
    """Number of choices of an item."""
