"""Parameters of the attribution pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from social_provenance.gradients.queries.nulls import Null
from social_provenance.gradients.settings import Distributed


class Attribution(BaseModel):
    """Parameters of attribution: documents, queries, nulls."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt | None = None
    """Documents per bin in the nested sample of the working set; null: all."""
    nulls: Sequence[Null] = ("shuffled_answers", "wrong_answers")
    """Null queries, with which the map is compared. ``shuffled_answers``: answers of other items of the benchmark.
    ``wrong_answers``: a wrong choice of the same item. ``other_benchmark``: answers of another benchmark.
    ``generic_text``: passages of documents outside the working set, of the items' lengths."""
    blocks: PositiveInt = 20
    """Number of blocks into which a benchmark's queries are divided, for intervals over queries."""
    seed: int = 0
    """Seed of blocks, nulls and random weights."""
    distributed: Distributed = Field(default_factory=Distributed)
    """Processes that compute corpus gradients."""
