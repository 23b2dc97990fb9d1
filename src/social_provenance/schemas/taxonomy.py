"""Tables of the taxonomy."""

from __future__ import annotations

import pandera.pandas as pa

from social_provenance.regions.grid import BINS
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
    """How the light classifier does on labels that it has not seen; empty where every label was given."""

    axis: str = pa.Field(isin=["topic", "format"], unique=True)
    accuracy: float = fields.share()
    majority_share: float = fields.share()
    confidence: float = fields.share()
    n_train: int = fields.count()
    n_test: int = pa.Field(gt=0)
