"""Tables of the miniature world and of the model that is trained on it."""

from __future__ import annotations

import pandera.pandas as pa

from social_provenance.schemas import fields


class MiniatureTruth(fields.Table):
    """What was planted where."""

    doc_id: str = pa.Field(unique=True)
    topic: str = fields.topic()
    format: str = fields.form()
    planted: str = pa.Field(nullable=True)
    carrier: bool


class PretrainingLog(fields.Table):
    """The benchmarks while the model is trained."""

    step: int = pa.Field(ge=1)
    loss: float = fields.count()
    benchmark: str
    accuracy: float = fields.share()
    gold_logprob: float = pa.Field(le=0)
    choice_logprob: float = pa.Field(le=1e-6)

    class Config(fields.Table.Config):
        """A benchmark at a step is one row."""

        unique = ["step", "benchmark"]


class PlantedComparison(fields.Table):
    """Areas under the ROC curve: found against planted."""

    method: str = fields.method()
    benchmark: str
    topic_auc: float = fields.share()
    document_auc: float = fields.share()
    carrier_auc: float = fields.share()

    class Config(fields.Table.Config):
        """A benchmark under a method is one row."""

        unique = ["method", "benchmark"]


class PlantedTopics(fields.Table):
    """Topics as they were found, with what was planted in them."""

    method: str = fields.method()
    benchmark: str
    topic: str = fields.topic()
    planted: bool
    z: float
    ci_low: float
    ci_high: float

    class Config(fields.Table.Config):
        """A topic is one row."""

        unique = ["method", "benchmark", "topic"]


class ValidationMetrics(fields.Table):
    """How well a method finds what was planted, at a level; null where nothing was planted, or everything."""

    level: str = pa.Field(isin=["topic", "bin"])
    method: str = fields.method()
    benchmark: str
    n_regions: int = fields.count()
    n_planted: int = fields.count()
    auc: float = fields.share(nullable=True)
    precision_at_k: float = fields.share(nullable=True)
    rank_correlation: float = pa.Field(ge=-1, le=1, nullable=True)
    power: float = fields.share(nullable=True)
    false_positive_rate: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """A benchmark under a method is one row a level."""

        unique = ["level", "method", "benchmark"]


class WorldMetrics(fields.OptionalTable):
    """How well a method found what was planted in a world."""

    seed: int
    method: str = fields.method()
    benchmark: str
    accuracy: float = fields.share()
    topic_auc: float = fields.share(nullable=True)
    bin_auc: float = fields.share(nullable=True)
    power: float = fields.share(nullable=True)
    false_positive_rate: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """A benchmark under a method is one row a world."""

        unique = ["seed", "method", "benchmark"]
