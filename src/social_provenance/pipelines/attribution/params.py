"""Parameters of the attribution pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from social_provenance.gradients.queries.build import Null
from social_provenance.gradients.settings import Distributed


class Attribution(BaseModel):
    """What is attributed to what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt | None = None
    """Documents of each bin, a nested sample of the working set; null: all of it."""
    nulls: Sequence[Null] = ("shuffled_answers",)
    """Queries that should find nothing of the benchmark. ``shuffled_answers``: answers of other items.
    ``generic_text``: passages of documents outside the working set, of the items' lengths."""
    blocks: PositiveInt = 20
    """Blocks that a benchmark's queries are divided into, for intervals over queries."""
    seed: int = 0
    """Of blocks, nulls and random weights."""
    distributed: Distributed = Field(default_factory=Distributed)
    """Processes that walk the corpus."""
