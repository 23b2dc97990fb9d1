"""Schemas of the tests of bins and of the checks of labels."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.estimation.significance.decomposition import PARTS
from social_provenance.schemas import fields


def _probability() -> Any:
    return pa.Field(ge=0, le=1, nullable=True)


class NullTests(fields.Table):
    """Test of each bin and topic against each null; no rows without a null."""

    variant: str
    benchmark: str
    method: str = fields.method()
    axis: str = pa.Field(isin=["bin", "topic"])
    topic: str = fields.topic()
    format: str = fields.form(nullable=True)
    difference: float = pa.Field(nullable=True)
    difference_z: float = pa.Field(nullable=True)
    difference_q: float = _probability()
    null_z: float = pa.Field(nullable=True)
    p: float = _probability()
    q: float = _probability()
    rank_p: float = _probability()
    rank_q: float = _probability()

    class Config(fields.Table.Config):
        """One row per bin or topic and null."""

        unique = ["variant", "benchmark", "method", "axis", "topic", "format"]


class NullCalibration(fields.Table):
    """Share of the bins and topics of a null that are called, by each judge; no rows without a null."""

    axis: str = pa.Field(isin=["bin", "topic"])
    variant: str
    judge: str
    benchmark: str
    method: str = fields.method()
    measure: str = pa.Field(isin=["p", "q", "rank_p", "rank_q", "difference_q"])
    n: int = fields.count()
    called: int = fields.count()
    share: float = _probability()
    ci_low: float = _probability()
    ci_high: float = _probability()

    class Config(fields.Table.Config):
        """One row per measure of a judge."""

        unique = ["axis", "variant", "judge", "benchmark", "method", "measure"]


class MapParts(fields.Table):
    """Shares of topic, format, interaction and noise in the variance of a map between bins."""

    benchmark: str
    method: str = fields.method()
    part: str = pa.Field(isin=[*PARTS, "noise"])
    share: float = pa.Field(ge=-1e-9, le=1 + 1e-9, nullable=True)

    class Config(fields.Table.Config):
        """One row per part of a map."""

        unique = ["benchmark", "method", "part"]


class TaxonomyRobustness(fields.Table):
    """Agreement of a map with those of other labels, and of topics with clusters of embeddings."""

    benchmark: str
    method: str = fields.method()
    check: str = pa.Field(isin=["confidence", "flipped", "clusters"])
    measure: str
    value: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per measure."""

        unique = ["benchmark", "method", "check", "measure"]
