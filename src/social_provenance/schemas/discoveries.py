"""Tables of what may be called a discovery."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.estimation.significance.decomposition import PARTS
from social_provenance.schemas import fields


def _probability() -> Any:
    return pa.Field(ge=0, le=1, nullable=True)


class NullTests(fields.Table):
    """Each bin by what a null does to bins; no rows without a null."""

    variant: str
    benchmark: str
    method: str = fields.method()
    topic: str = fields.topic()
    format: str = fields.form()
    null_z: float = pa.Field(nullable=True)
    p: float = _probability()
    q: float = _probability()
    rank_p: float = _probability()
    rank_q: float = _probability()

    class Config(fields.Table.Config):
        """A bin under a null is one row."""

        unique = ["variant", "benchmark", "method", "topic", "format"]


class NullCalibration(fields.Table):
    """How often the bins of a null are called, by each judge; no rows without a null."""

    variant: str
    judge: str
    benchmark: str
    method: str = fields.method()
    measure: str = pa.Field(isin=["p", "q", "rank_p", "rank_q"])
    n_bins: int = fields.count()
    called: int = fields.count()
    share: float = _probability()
    ci_low: float = _probability()
    ci_high: float = _probability()

    class Config(fields.Table.Config):
        """A measure of a judge is one row."""

        unique = ["variant", "judge", "benchmark", "method", "measure"]


class MapParts(fields.Table):
    """What of a map is topic, format, neither, and noise."""

    benchmark: str
    method: str = fields.method()
    part: str = pa.Field(isin=[*PARTS, "noise"])
    share: float = pa.Field(ge=-1e-9, le=1 + 1e-9, nullable=True)

    class Config(fields.Table.Config):
        """A part of a map is one row."""

        unique = ["benchmark", "method", "part"]


class TaxonomyRobustness(fields.Table):
    """How far a map moves with other labels, or none."""

    benchmark: str
    method: str = fields.method()
    check: str = pa.Field(isin=["confidence", "flipped", "clusters"])
    measure: str
    value: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A measure is one row."""

        unique = ["benchmark", "method", "check", "measure"]
