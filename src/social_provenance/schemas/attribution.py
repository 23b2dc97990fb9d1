"""Tables of the attribution."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.schemas import fields


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

    class Config(fields.Table.Config):
        """A choice is one row."""

        unique = ["benchmark", "item", "choice"]

    @pa.dataframe_check(error="every item has one gold choice")
    @classmethod
    def one_gold(cls, table: Any) -> bool:
        """Count gold choices."""
        return bool((table.groupby(["benchmark", "item"])["is_gold"].sum() == 1).all())


class DocumentScores(fields.Table):
    """The score of each document for each benchmark, by each method."""

    doc_id: str
    benchmark: str
    method: str = fields.method()
    score: float
    loss: float = fields.count()
    grad_norm: float = fields.count()

    class Config(fields.Table.Config):
        """A score is one row."""

        unique = ["doc_id", "benchmark", "method"]


class TopDocuments(fields.Table):
    """The documents of highest score for each benchmark, by the default method."""

    benchmark: str
    rank: int = pa.Field(ge=1)
    doc_id: str
    topic: str = fields.topic()
    format: str = fields.form()
    score: float
    url: str = pa.Field(nullable=True)
    excerpt: str

    class Config(fields.Table.Config):
        """A place is one row."""

        unique = ["benchmark", "rank"]
