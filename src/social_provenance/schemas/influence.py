"""Tables of the aggregation."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.regions.grid import BINS
from social_provenance.schemas import fields


class BinInfluence(fields.IntervalTable):
    """Influence of each of the 576 bins; a bin without documents has nulls."""

    benchmark: str
    method: str = fields.method()
    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = fields.count()
    potency: float = pa.Field(nullable=True)
    z: float = pa.Field(nullable=True)
    contribution: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A bin is one row."""

        unique = ["benchmark", "method", "topic", "format"]

    @pa.dataframe_check(error="every bin has a row for every benchmark and method")
    @classmethod
    def every_bin(cls, table: Any) -> bool:
        """Count the rows of each pair."""
        return bool((table.groupby(["benchmark", "method"]).size() == len(BINS)).all())

    @pa.dataframe_check(error="potency is null exactly where there are no documents")
    @classmethod
    def null_where_empty(cls, table: Any) -> Any:
        """Compare rows."""
        return table["potency"].isna() == (table["n_documents"] == 0)


class _Marginal(fields.IntervalTable):
    benchmark: str
    method: str = fields.method()
    n_documents: int = fields.count()
    n_bins: int = pa.Field(ge=0, le=24)
    z: float = pa.Field(nullable=True)
    median: float = pa.Field(nullable=True)
    leave_one_bin_out_min: float = pa.Field(nullable=True)
    leave_one_bin_out_max: float = pa.Field(nullable=True)
    contribution: float


class TopicInfluence(_Marginal):
    """Influence of each topic: the unweighted mean over its bins."""

    topic: str = fields.topic()

    class Config(fields.Table.Config):
        """A topic is one row."""

        unique = ["benchmark", "method", "topic"]


class FormatInfluence(_Marginal):
    """Influence of each format: the unweighted mean over its bins."""

    format: str = fields.form()

    class Config(fields.Table.Config):
        """A format is one row."""

        unique = ["benchmark", "method", "format"]


class Contrasts(fields.IntervalTable):
    """Social minus STEM, of bins, topics and formats."""

    kind: str = pa.Field(isin=["reasoning", "knowledge"])
    method: str = fields.method()
    axis: str = pa.Field(isin=["bin", "topic", "format"])
    topic: str = fields.topic(nullable=True)
    format: str = fields.form(nullable=True)
    difference: float = pa.Field(nullable=True)
