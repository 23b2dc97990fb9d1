"""Schemas of what a map shows: the share that simpler maps explain, and the verdicts."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.interventions.verdicts import ANSWERS, NOT_TRIED, QUESTIONS, READINGS
from social_provenance.schemas import fields


class ExplainedVariance(fields.IntervalTable):
    """Share of the reproducible variance of a topic map that another map explains; null with too few topics."""

    benchmark: str
    method: str = fields.method()
    other: str
    n_topics: int = pa.Field(ge=0, le=24)
    share: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """One row per map and other map."""

        unique = ["benchmark", "method", "other"]


class Verdicts(fields.IntervalTable):
    """Answer to each question about the map of each benchmark, with the number and the rule that decided it."""

    benchmark: str
    question: str = pa.Field(isin=QUESTIONS)
    verdict: str = pa.Field(isin=ANSWERS)
    against: str = pa.Field(nullable=True)
    value: float = pa.Field(nullable=True)
    rule: str
    reading: str = pa.Field(isin=READINGS)

    @pa.dataframe_check(error="a verdict has a value, and what was not tried has none")
    @classmethod
    def decided(cls, table: Any) -> Any:
        """Return whether a row has a value exactly where its question was tried."""
        return table["value"].isna() == (table["verdict"] == NOT_TRIED)

    class Config(fields.Table.Config):
        """One row per benchmark and question."""

        unique = ["benchmark", "question"]
