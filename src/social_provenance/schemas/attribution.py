"""Schemas of tables of attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pandera.pandas as pa

from social_provenance.capabilities.split import USES
from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.queries.nulls import NULLS
from social_provenance.gradients.queries.renderings import RENDERINGS
from social_provenance.gradients.query_set import ITEMS
from social_provenance.schemas import fields
from social_provenance.schemas.large import LargeTable, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIANTS = (ITEMS, *NULLS, *RENDERINGS)


class BenchmarkRequests(fields.Table):
    """Every choice of every item as lm-eval scores it."""

    benchmark: str
    item: str
    cluster: str
    choice: int = fields.count()
    is_gold: bool
    prompt: str
    completion: str
    prompt_ids: object
    completion_ids: object
    normalisation: str = fields.normalisation()
    units: int = pa.Field(ge=1)
    use: str = pa.Field(isin=USES)

    class Config(fields.Table.Config):
        """Unique key: one row per choice."""

        unique = ["benchmark", "item", "choice"]

    @pa.dataframe_check(error="every item has one gold choice")
    @classmethod
    def one_gold(cls, table: Any) -> bool:
        """Check that every item has exactly one gold choice."""
        return bool((table.groupby(["benchmark", "item"])["is_gold"].sum() == 1).all())

    @pa.dataframe_check(error="a cluster is for one use")
    @classmethod
    def whole_clusters(cls, table: Any) -> bool:
        """Check that all items of a cluster have the same role."""
        return bool((table.groupby(["benchmark", "cluster"])["use"].nunique() == 1).all())


class Queries(fields.Table):
    """Attribution queries: each item of each benchmark, in each variant."""

    benchmark: str
    variant: str = pa.Field(isin=VARIANTS)
    item: str
    cluster: str
    block: int = fields.count()
    prompt_ids: object
    answer_ids: object

    class Config(fields.Table.Config):
        """Unique key: one row per query."""

        unique = ["benchmark", "variant", "item"]


_SCORED = {"doc_id": "string", "benchmark": "string", "method": "string"}
_OURS: Rules = {
    "method is one of the project's": lambda table: ~table.method.isin(method_names()),
    "benchmark is there": lambda table: table.benchmark.isnull(),
}
_NUMBER: Rules = {"score is a number": lambda table: table.score.isnull() | table.score.isnan()}


class DocumentScores(LargeTable):
    """The score of each document for each benchmark, by each method."""

    columns: ClassVar[Mapping[str, str]] = {**_SCORED, "score": "float64", "loss": "float64", "grad_norm": "float64"}
    rules: ClassVar[Rules] = {
        **_OURS,
        **_NUMBER,
        "loss and grad_norm are not negative": lambda table: (table.loss < 0) | (table.grad_norm < 0),
    }
    key: ClassVar[Sequence[str]] = ("doc_id", "benchmark", "method")


class BlockScores(LargeTable):
    """The mean score of each document over each block of a benchmark's queries."""

    columns: ClassVar[Mapping[str, str]] = {**_SCORED, "blocks": "array<float32>"}
    rules: ClassVar[Rules] = {**_OURS, "a block is there": lambda table: table.blocks.length() < 1}
    key: ClassVar[Sequence[str]] = ("doc_id", "benchmark", "method")


class NullScores(LargeTable):
    """Scores by which items and nulls are compared, every query scaled to norm 1."""

    columns: ClassVar[Mapping[str, str]] = {**_SCORED, "variant": "string", "score": "float64"}
    rules: ClassVar[Rules] = {**_OURS, **_NUMBER, "variant is there": lambda table: table.variant.isnull()}
    key: ClassVar[Sequence[str]] = ("doc_id", "benchmark", "method", "variant")


class OptionalNullScores(NullScores):
    """The same table, or None if it was not computed."""

    def validate(self, data: Any) -> Any:
        return data if data is None else super().validate(data)


class PreconditionerAudit(fields.Table):
    """Spectrum of each module's mixed second moment, and how much of it is damped."""

    benchmark: str
    variant: str = pa.Field(isin=VARIANTS)
    module: str
    numbers: int = pa.Field(ge=1)
    effective_rank: float = pa.Field(ge=0)
    condition: float = pa.Field(ge=1)
    damped_share: float = fields.share()

    class Config(fields.Table.Config):
        """Unique key: one row per set of queries and module."""

        unique = ["benchmark", "variant", "module"]


class TopDocuments(fields.Table):
    """The documents with the highest score for each benchmark, by the default method."""

    benchmark: str
    rank: int = pa.Field(ge=1)
    doc_id: str
    topic: str = fields.topic()
    format: str = fields.form()
    score: float
    url: str = pa.Field(nullable=True)
    excerpt: str

    class Config(fields.Table.Config):
        """Unique key: one row per benchmark and rank."""

        unique = ["benchmark", "rank"]
