"""Parameters of the attribution pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, PositiveInt

from social_provenance.capabilities.split import Answered
from social_provenance.gradients.queries.choices import QueryKind
from social_provenance.gradients.queries.nulls import Null
from social_provenance.gradients.settings import Distributed
from social_provenance.parameters import Parameters


class Attribution(Parameters):
    """Parameters of attribution: documents, queries, nulls."""

    per_bin: PositiveInt | None = None
    """Documents per bin in the nested sample of the working set; null: all."""
    items: Answered = "all"
    """Items that are attributed: all, or those that the model answers right, or wrong; the latter two cost an
    evaluation of the attribution items."""
    query: QueryKind = "gold"
    """Loss whose gradient is a query. ``gold``: that of the gold choice. ``rival``: the same minus that of the
    likeliest wrong choice. ``margin_per_token``: the same minus the softmax-weighted choices, all per token."""
    nulls: Sequence[Null] = ("shuffled_answers", "wrong_answers")
    """Null queries, with which the map is compared. ``shuffled_answers``: answers of other items of the benchmark.
    ``wrong_answers``: a wrong choice of the same item. ``other_benchmark``: answers of another benchmark.
    ``generic_text``: passages of documents outside the working set, of the items' lengths."""
    blocks: PositiveInt = 20
    """Number of blocks into which a benchmark's queries are divided, for intervals over queries."""
    seed: int = 0
    """Seed of blocks, nulls and random weights."""
    tokenizer_processes: PositiveInt = 1
    """Number of processes that tokenise the documents."""
    distributed: Distributed = Field(default_factory=Distributed)
    """Processes that compute corpus gradients."""
