"""Schemas of tables of the taxonomy."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.regions.grid import BINS, FORMATS, TOPICS
from social_provenance.schemas import fields


class BinPrevalence(fields.Table):
    """Prevalence of each bin in the labelled corpus; every bin has a row."""

    topic: str = fields.topic()
    format: str = fields.form()
    n_documents: int = fields.count()
    share: float = fields.share()

    class Config(fields.Table.Config):
        """Unique key: one row per bin."""

        unique = ["topic", "format"]

    @pa.dataframe_check(error="every bin has a row")
    @classmethod
    def every_bin(cls, table: object) -> bool:
        """Check that there is a row for every bin."""
        return len(table) == len(BINS)  # type: ignore[arg-type]


class ClassifierQuality(fields.Table):
    """Quality of the classifier on held-out labels; empty if none was needed."""

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
    """Non-empty cells of the confusion matrix of given and predicted labels."""

    axis: str = fields.axis()
    given: str = pa.Field(isin=[*TOPICS, *FORMATS])
    said: str = pa.Field(isin=[*TOPICS, *FORMATS])
    n_documents: int = pa.Field(gt=0)

    class Config(fields.Table.Config):
        """Unique key: one row per pair of labels."""

        unique = ["axis", "given", "said"]


class ClassifierReliability(fields.Table):
    """Reliability curve: accuracy of labels by confidence."""

    axis: str = fields.axis()
    low: float = fields.share()
    high: float = fields.share()
    confidence: float = fields.share()
    accuracy: float = fields.share()
    n_documents: int = pa.Field(gt=0)

    class Config(fields.Table.Config):
        """Unique key: one row per bin of confidence."""

        unique = ["axis", "low"]

    @pa.dataframe_check(error="confidence lies in its bin")
    @classmethod
    def in_bin(cls, table: Any) -> Any:
        """Check that the mean confidence is within the bounds of the bin."""
        return (table["low"] <= table["confidence"]) & (table["confidence"] <= table["high"] + 1e-9)
