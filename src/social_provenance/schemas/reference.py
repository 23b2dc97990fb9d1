"""Schemas of comparisons of maps: between methods, and with the published reference."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.estimation.comparison.side_by_side import PUBLISHED
from social_provenance.gradients.methods.registry import method_names
from social_provenance.regions.grid import BINS
from social_provenance.schemas import fields


def _source() -> Any:
    """Return a column of maps: the published one, or a method of this study."""
    return pa.Field(isin=[PUBLISHED, *method_names()])


def _between(table: Any) -> Any:
    """Return whether the value without the extreme bin is within the range with one bin left out, or null."""
    low, without, high = table["leave_one_bin_out_min"], table["without_extreme"], table["leave_one_bin_out_max"]
    return without.isna() | ((low <= without) & (without <= high))


def _correlation() -> Any:
    return pa.Field(ge=-1, le=1, nullable=True)


class _Agreement(fields.Table):
    """Agreement of two maps; null where a correlation does not exist."""

    benchmark: str
    bin_correlation: float = _correlation()
    bin_rank_correlation: float = _correlation()
    topic_correlation: float = _correlation()
    topic_rank_correlation: float = _correlation()
    shared_top_bins: float = fields.share(nullable=True)
    n_bins: int = pa.Field(ge=0, le=len(BINS))


class _RobustAgreement(_Agreement):
    """Agreement of two maps, and its dependence on a single bin; null where nothing is left without a bin."""

    leave_one_bin_out_min: float = _correlation()
    leave_one_bin_out_max: float = _correlation()
    extreme_topic: str = fields.topic(nullable=True)
    extreme_format: str = fields.form(nullable=True)
    without_extreme: float = _correlation()

    @pa.dataframe_check(error="leave_one_bin_out_min <= without_extreme <= leave_one_bin_out_max")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Return whether the value without the extreme bin is within its range."""
        return _between(table)


class MethodAgreement(_Agreement):
    """Agreement of the maps of two methods about a benchmark."""

    method: str = fields.method()
    other: str = fields.method()

    class Config(fields.Table.Config):
        """One row per pair."""

        unique = ["benchmark", "method", "other"]

    @pa.dataframe_check(error="a method is compared with another one")
    @classmethod
    def distinct(cls, table: Any) -> Any:
        """Return whether the two methods of a row differ."""
        return table["method"] != table["other"]


class ReferenceBins(fields.Table):
    """The published map: all 576 bins of each benchmark; no rows without a reference."""

    benchmark: str
    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = pa.Field(ge=1)
    potency: float
    z: float

    class Config(fields.Table.Config):
        """One row per bin."""

        unique = ["benchmark", "topic", "format"]

    @pa.dataframe_check(error="every bin has a row for every benchmark")
    @classmethod
    def every_bin(cls, table: Any) -> bool:
        """Return whether each benchmark has all bins."""
        return bool((table.groupby("benchmark").size() == len(BINS)).all())


class _RobustMeans(fields.Table):
    """A mean over bins, and its dependence on a single bin."""

    source: str = _source()
    topic: str = fields.topic()
    n_bins: int = pa.Field(ge=0, le=24)
    median: float = pa.Field(nullable=True)
    leave_one_bin_out_min: float = pa.Field(nullable=True)
    leave_one_bin_out_max: float = pa.Field(nullable=True)
    extreme_format: str = fields.form(nullable=True)
    extreme_value: float = pa.Field(nullable=True)
    without_extreme: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="leave_one_bin_out_min <= without_extreme <= leave_one_bin_out_max")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Return whether the value without the extreme bin is within its range."""
        return _between(table)


class ReferenceTopics(_RobustMeans):
    """Mean z of each topic in the published map and in those of this study."""

    benchmark: str
    z: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per topic of a map."""

        unique = ["source", "benchmark", "topic"]


class ReferenceContrasts(_RobustMeans):
    """Social minus STEM of each topic in the published map and in those of this study."""

    kind: str = pa.Field(isin=["reasoning", "knowledge"])
    difference: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per topic of a map and level."""

        unique = ["source", "kind", "topic"]


class ReferenceSignatures(fields.Table):
    """The most distinctive bins of each benchmark."""

    source: str = _source()
    benchmark: str
    rank: int = pa.Field(ge=1)
    topic: str = fields.topic()
    format: str = fields.form()
    z: float
    z_others: float
    distinctiveness: float
    topic_z: float
    topic_z_without: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per rank."""

        unique = ["source", "benchmark", "rank"]


class ReferenceSimilarity(_RobustAgreement):
    """Similarity of the profiles of two benchmarks, in the published map and in those of this study."""

    source: str = _source()
    other: str

    class Config(fields.Table.Config):
        """One row per pair within a map."""

        unique = ["source", "benchmark", "other"]


class ReferenceAgreement(_RobustAgreement):
    """Agreement of the map of a method of this study with the published one."""

    method: str = fields.method()

    class Config(fields.Table.Config):
        """One row per map."""

        unique = ["benchmark", "method"]
