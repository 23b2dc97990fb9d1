"""Tables of maps held against each other: methods, and the published reference."""

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
    """Say of each row whether the mean or correlation without the extreme bin, where there is one, is between both."""
    low, own, high = table["leave_one_bin_out_min"], table["without_extreme"], table["leave_one_bin_out_max"]
    return own.isna() | ((low <= own) & (own <= high))


def _correlation() -> Any:
    return pa.Field(ge=-1, le=1, nullable=True)


class _Agreement(fields.Table):
    """How far two maps agree; null where a correlation does not exist."""

    benchmark: str
    bin_correlation: float = _correlation()
    bin_rank_correlation: float = _correlation()
    topic_correlation: float = _correlation()
    topic_rank_correlation: float = _correlation()
    shared_top_bins: float = fields.share(nullable=True)
    n_bins: int = pa.Field(ge=0, le=len(BINS))


class _Carried(_Agreement):
    """How far two maps agree, and how far one bin carries that; null where nothing is left without a bin."""

    leave_one_bin_out_min: float = _correlation()
    leave_one_bin_out_max: float = _correlation()
    extreme_topic: str = fields.topic(nullable=True)
    extreme_format: str = fields.form(nullable=True)
    without_extreme: float = _correlation()

    @pa.dataframe_check(error="leave_one_bin_out_min <= without_extreme <= leave_one_bin_out_max")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Compare the extremes, where there are any."""
        return _between(table)


class MethodAgreement(_Agreement):
    """How far the maps of two methods agree about a benchmark."""

    method: str = fields.method()
    other: str = fields.method()

    class Config(fields.Table.Config):
        """A pair is one row."""

        unique = ["benchmark", "method", "other"]

    @pa.dataframe_check(error="a method is compared with another one")
    @classmethod
    def two(cls, table: Any) -> Any:
        """Compare rows."""
        return table["method"] != table["other"]


class ReferenceBins(fields.Table):
    """The published map: all 576 bins of each benchmark, or no row at all."""

    benchmark: str
    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = pa.Field(ge=1)
    potency: float
    z: float

    class Config(fields.Table.Config):
        """A bin is one row."""

        unique = ["benchmark", "topic", "format"]

    @pa.dataframe_check(error="every bin has a row for every benchmark")
    @classmethod
    def every_bin(cls, table: Any) -> bool:
        """Count the rows of each benchmark."""
        return bool((table.groupby("benchmark").size() == len(BINS)).all())


class _Means(fields.Table):
    """A mean over bins, and how far one bin carries it."""

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
        """Compare the extremes, where there are any."""
        return _between(table)


class ReferenceTopics(_Means):
    """Mean z of each topic in the published map and in this study's."""

    benchmark: str
    z: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A topic of a map is one row."""

        unique = ["source", "benchmark", "topic"]


class ReferenceContrasts(_Means):
    """Social minus STEM of each topic in the published map and in this study's."""

    kind: str = pa.Field(isin=["reasoning", "knowledge"])
    difference: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A topic of a map is one row at each level."""

        unique = ["source", "kind", "topic"]


class ReferenceSignatures(fields.Table):
    """The bins that set a benchmark apart from the others."""

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
        """A rank is one row."""

        unique = ["source", "benchmark", "rank"]


class ReferenceSimilarity(_Carried):
    """How far two benchmarks have the same profile, in the published map and in this study's."""

    source: str = _source()
    other: str

    class Config(fields.Table.Config):
        """A pair of a map is one row."""

        unique = ["source", "benchmark", "other"]


class ReferenceAgreement(_Carried):
    """How far a method's map of this study agrees with the published one."""

    method: str = fields.method()

    class Config(fields.Table.Config):
        """A map is one row."""

        unique = ["benchmark", "method"]
