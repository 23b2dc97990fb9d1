"""Tables of the taxonomy."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.regions.grid import BINS, FORMATS, TOPICS
from social_provenance.schemas import fields


class BinPrevalence(fields.Table):
    """The share of each bin in the labelled corpus; every bin has a row."""

    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = fields.count()
    share: float = fields.share()

    class Config(fields.Table.Config):
        """A bin is one row."""

        unique = ["topic", "format"]

    @pa.dataframe_check(error="every bin has a row")
    @classmethod
    def every_bin(cls, table: object) -> bool:
        """Count the rows."""
        return len(table) == len(BINS)  # type: ignore[arg-type]


class ClassifierQuality(fields.Table):
    """How the classifier does on labels that it has not seen; empty where none was needed."""

    axis: str = fields.axis(unique=True)
    label_source: str = pa.Field(isin=["linear", "official"])
    accuracy: float = fields.share()
    macro_f1: float = fields.share()
    majority_share: float = fields.share()
    confidence: float = fields.share()
    calibration_error: float = fields.share()
    n_train: int = fields.count()
    n_test: int = pa.Field(gt=0)


class ClassifierConfusion(fields.Table):
    """Given and said labels that occur together."""

    axis: str = fields.axis()
    given: str = pa.Field(isin=[*TOPICS, *FORMATS])
    said: str = pa.Field(isin=[*TOPICS, *FORMATS])
    n_documents: int = pa.Field(gt=0)

    class Config(fields.Table.Config):
        """A pair of labels is one row."""

        unique = ["axis", "given", "said"]


class ClassifierReliability(fields.Table):
    """How often labels are right, by how sure they are."""

    axis: str = fields.axis()
    low: float = fields.share()
    high: float = fields.share()
    confidence: float = fields.share()
    accuracy: float = fields.share()
    n_documents: int = pa.Field(gt=0)

    class Config(fields.Table.Config):
        """A bin of confidence is one row."""

        unique = ["axis", "low"]

    @pa.dataframe_check(error="confidence lies in its bin")
    @classmethod
    def in_bin(cls, table: Any) -> Any:
        """Compare with the bounds."""
        return (table["low"] <= table["confidence"]) & (table["confidence"] <= table["high"] + 1e-9)
