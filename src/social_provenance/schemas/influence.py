"""Schemas of influence: bins, topics, formats, contrasts, profiles, and maps of checkpoints and renderings."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.queries.renderings import RENDERINGS
from social_provenance.regions.grid import BINS
from social_provenance.schemas import fields


def _correlation() -> Any:
    return pa.Field(ge=-1, le=1, nullable=True)


class _Bins(fields.Table):
    benchmark: str
    method: str = fields.method()
    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = fields.count()
    potency: float = pa.Field(nullable=True)
    z: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="potency and z are null exactly where there are no documents")
    @classmethod
    def null_where_empty(cls, table: Any) -> Any:
        """Return whether the values of a row are null exactly where its bin is empty."""
        empty = table["n_documents"] == 0
        return (table["potency"].isna() == empty) & (table["z"].isna() == empty)


def _at_least(least: float) -> Any:
    return pa.Field(ge=least, nullable=True)


class _Contribution(fields.IntervalTable):
    contribution_low: float = pa.Field(nullable=True)
    contribution_high: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals of contribution are in order")
    @classmethod
    def contribution_in_order(cls, table: Any) -> Any:
        """Return whether the lower bound is not above the upper one."""
        return fields.bounds_in_order(table, "contribution_low", "contribution_high")


class BinInfluence(_Bins, _Contribution):
    """Influence of each of the 576 bins, with its uncertainty and tests; null where a bin has no documents."""

    ess: float = _at_least(1)
    potency_low: float = pa.Field(nullable=True)
    potency_high: float = pa.Field(nullable=True)
    se: float = _at_least(0)
    contribution: float = pa.Field(nullable=True)
    p: float = fields.share(nullable=True)
    q: float = fields.share(nullable=True)
    p_permutation: float = fields.share(nullable=True)
    p_family: float = fields.share(nullable=True)
    shrunk: float = pa.Field(nullable=True)
    shrunk_se: float = _at_least(0)
    null_z: float = pa.Field(nullable=True)
    answer_z: float = pa.Field(nullable=True)
    answer_q: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """One row per bin."""

        unique = ["benchmark", "method", "topic", "format"]

    @pa.dataframe_check(error="a corrected p is not below the p that it corrects")
    @classmethod
    def corrected(cls, table: Any) -> Any:
        """Return whether the corrected p of a row are at least those that they correct."""
        return ~(table["q"] < table["p"]) & ~(table["p_family"] < table["p_permutation"])

    @pa.dataframe_check(error="intervals of potency are in order")
    @classmethod
    def potency_in_order(cls, table: Any) -> Any:
        """Return whether the lower bound is not above the upper one."""
        return fields.bounds_in_order(table, "potency_low", "potency_high")

    @pa.dataframe_check(error="every bin has a row for every benchmark and method")
    @classmethod
    def every_bin(cls, table: Any) -> bool:
        """Return whether each benchmark and method has all bins."""
        return bool((table.groupby(["benchmark", "method"]).size() == len(BINS)).all())


class InfluenceTrajectory(_Bins, fields.OptionalTable):
    """Bin maps of every checkpoint, in the order of training."""

    order: int = fields.count()
    checkpoint: str

    class Config(fields.Table.Config):
        """One row per bin of a checkpoint."""

        unique = ["checkpoint", "benchmark", "method", "topic", "format"]

    @pa.dataframe_check(error="every bin has a row for every checkpoint, benchmark and method")
    @classmethod
    def every_bin(cls, table: Any) -> bool:
        """Return whether each map has all bins."""
        return bool((table.groupby(["checkpoint", "benchmark", "method"]).size() == len(BINS)).all())

    @pa.dataframe_check(error="every checkpoint has one place in the order")
    @classmethod
    def one_place(cls, table: Any) -> bool:
        """Return whether orders and checkpoints are one to one."""
        pairs = table[["order", "checkpoint"]].drop_duplicates()
        return bool(len(pairs) == pairs["order"].nunique() == pairs["checkpoint"].nunique())


class QueryAudit(fields.OptionalTable):
    """Agreement of the maps of two renderings of a benchmark; null where a correlation does not exist."""

    benchmark: str
    method: str = fields.method()
    rendering: str = pa.Field(isin=RENDERINGS)
    other: str = pa.Field(isin=RENDERINGS)
    bin_correlation: float = _correlation()
    bin_rank_correlation: float = _correlation()
    topic_correlation: float = _correlation()
    topic_rank_correlation: float = _correlation()
    shared_top_bins: float = fields.share()
    n_bins: int = fields.count()

    class Config(fields.Table.Config):
        """One row per pair."""

        unique = ["benchmark", "method", "rendering", "other"]

    @pa.dataframe_check(error="a rendering is compared with another one")
    @classmethod
    def distinct(cls, table: Any) -> Any:
        """Return whether the two renderings of a row differ."""
        return table["rendering"] != table["other"]


class _Marginal(_Contribution):
    benchmark: str
    method: str = fields.method()
    n_documents: int = fields.count()
    ess: float = _at_least(1)
    n_bins: int = pa.Field(ge=0, le=24)
    n_bins_without_interval: int = pa.Field(ge=0, le=24)
    z: float = pa.Field(nullable=True)
    se: float = _at_least(0)
    median: float = pa.Field(nullable=True)
    leave_one_bin_out_min: float = pa.Field(nullable=True)
    leave_one_bin_out_max: float = pa.Field(nullable=True)
    top_ten_share: float = fields.share(nullable=True)
    contribution: float


class TopicInfluence(_Marginal):
    """Influence of each topic: the unweighted mean over its bins, with its tests."""

    topic: str = fields.topic()
    p: float = fields.share(nullable=True)
    q: float = fields.share(nullable=True)
    null_z: float = pa.Field(nullable=True)
    answer_z: float = pa.Field(nullable=True)
    answer_q: float = fields.share(nullable=True)

    @pa.dataframe_check(error="q is not below p")
    @classmethod
    def corrected(cls, table: Any) -> Any:
        """Return whether the corrected p of a row is at least the p that it corrects."""
        return ~(table["q"] < table["p"])

    class Config(fields.Table.Config):
        """One row per topic."""

        unique = ["benchmark", "method", "topic"]


class FormatInfluence(_Marginal):
    """Influence of each format: the unweighted mean over its bins."""

    format: str = fields.form()

    class Config(fields.Table.Config):
        """One row per format."""

        unique = ["benchmark", "method", "format"]


class Contrasts(fields.IntervalTable):
    """Social minus STEM, of bins, topics and formats."""

    kind: str = pa.Field(isin=["reasoning", "knowledge"])
    method: str = fields.method()
    axis: str = pa.Field(isin=["bin", "topic", "format"])
    topic: str = fields.topic(nullable=True)
    format: str = fields.form(nullable=True)
    n_documents: int = fields.count()
    ess: float = _at_least(1)
    difference: float = pa.Field(nullable=True)
    se: float = _at_least(0)


class ContrastStrength(fields.IntervalTable):
    """Spread of topics in social minus STEM at the reasoning and at the knowledge level; one row per method."""

    method: str = pa.Field(isin=method_names(), unique=True)
    n_topics: int = pa.Field(ge=0, le=24)
    n_documents: int = fields.count()
    ess: float = _at_least(1)
    reasoning: float = _at_least(0)
    reasoning_low: float = _at_least(0)
    reasoning_high: float = _at_least(0)
    knowledge: float = _at_least(0)
    knowledge_low: float = _at_least(0)
    knowledge_high: float = _at_least(0)
    reasoning_reliability_documents: float = _correlation()
    reasoning_reliability_queries: float = _correlation()
    knowledge_reliability_documents: float = _correlation()
    knowledge_reliability_queries: float = _correlation()
    difference: float = pa.Field(nullable=True)
    p: float = pa.Field(gt=0, le=1, nullable=True)


class _Profiles(fields.Table):
    benchmark: str
    method: str = fields.method()
    axis: str = pa.Field(isin=["bin", "topic", "format"])
    n: int = fields.count()
    n_documents: int = fields.count()
    ess: float = _at_least(1)


class ProfileSimilarity(_Profiles, fields.IntervalTable):
    """Correlation of the profiles of two benchmarks under one method; null where it does not exist."""

    other: str
    correlation: float = _correlation()

    class Config(fields.Table.Config):
        """One row per pair."""

        unique = ["method", "axis", "benchmark", "other"]

    @pa.dataframe_check(error="a benchmark is compared with another one")
    @classmethod
    def distinct(cls, table: Any) -> Any:
        """Return whether the two benchmarks of a row differ."""
        return table["benchmark"] != table["other"]


class ProfileReliability(_Profiles):
    """Split-half reliability of a profile; null where halves are too few."""

    documents: float = _correlation()
    queries: float = _correlation()

    class Config(fields.Table.Config):
        """One row per profile."""

        unique = ["benchmark", "method", "axis"]
