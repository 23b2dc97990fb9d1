"""Schemas of the miniature world, of the model trained on it, and of their validation."""

from __future__ import annotations

import pandera.pandas as pa

from social_provenance.schemas import fields


class MiniatureTruth(fields.Table):
    """True labels of each document, the benchmark that its topic is planted for or a decoy for, and its role."""

    doc_id: str = pa.Field(unique=True)
    topic: str = fields.topic()
    format: str = fields.form()
    planted: str = pa.Field(nullable=True)
    decoy: str = pa.Field(nullable=True)
    twin: str = pa.Field(nullable=True)
    role: str = pa.Field(isin=["carrier", "decoy", "twin", "unasked", "filler"])


class PretrainingLog(fields.Table):
    """Loss and benchmark accuracies during pretraining."""

    step: int = pa.Field(ge=1)
    loss: float = fields.count()
    benchmark: str
    normalisation: str = fields.normalisation()
    accuracy: float = fields.share()
    gold_logprob: float = pa.Field(le=0)
    choice_logprob: float = pa.Field(le=1e-6)

    class Config(fields.Table.Config):
        """One row per benchmark and step."""

        unique = ["step", "benchmark"]


class _RoleAreas(fields.Table):
    """Columns with areas under the ROC curve of planted regions against those of another role."""

    decoy_auc: float = fields.share(nullable=True)
    twin_auc: float = fields.share(nullable=True)


class _TopicAreas(_RoleAreas):
    """Columns with all areas by which a map of topics is judged."""

    topic_auc: float = fields.share(nullable=True)


class _RoleMeasures(_RoleAreas):
    """Columns that tell the roles of regions apart, and calls of regions."""

    decoy_call_rate: float = fields.share(nullable=True)
    planted_z: float = pa.Field(nullable=True)
    decoy_z: float = pa.Field(nullable=True)
    twin_z: float = pa.Field(nullable=True)
    other_z: float = pa.Field(nullable=True)
    power: float = fields.share(nullable=True)
    false_positive_rate: float = fields.share(nullable=True)


class PlantedComparison(_TopicAreas):
    """Areas under the ROC curve of planted topics, documents and carriers; null where there is nothing to compare."""

    method: str = fields.method()
    benchmark: str
    document_auc: float = fields.share(nullable=True)
    carrier_auc: float = fields.share(nullable=True)
    pairing_auc: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """One row per benchmark and method."""

        unique = ["method", "benchmark"]


class PlantedNulls(_TopicAreas, fields.OptionalTable):
    """Areas under the ROC curve of planted topics by the items and by each null."""

    variant: str
    method: str = fields.method()
    benchmark: str

    class Config(fields.Table.Config):
        """One row per variant, benchmark and method."""

        unique = ["variant", "method", "benchmark"]


class PlantedTopics(fields.Table):
    """Influence of topics, with their role for the benchmark."""

    method: str = fields.method()
    benchmark: str
    topic: str = fields.topic()
    role: str = pa.Field(isin=["planted", "decoy", "twin", "other"])
    z: float
    ci_low: float
    ci_high: float

    class Config(fields.Table.Config):
        """One row per topic."""

        unique = ["method", "benchmark", "topic"]


class ValidationMetrics(_RoleMeasures):
    """Recovery of planted topics and bins by a method; null where nothing was planted, or everything."""

    level: str = pa.Field(isin=["topic", "bin"])
    method: str = fields.method()
    benchmark: str
    n_regions: int = fields.count()
    n_planted: int = fields.count()
    auc: float = fields.share(nullable=True)
    precision_at_k: float = fields.share(nullable=True)
    rank_correlation: float = pa.Field(ge=-1, le=1, nullable=True)
    n_decoys: int = fields.count()

    class Config(fields.Table.Config):
        """One row per level, benchmark and method."""

        unique = ["level", "method", "benchmark"]


class WorldMetrics(_TopicAreas, _RoleMeasures, fields.OptionalTable):
    """Recovery of planted topics and bins by a method in a world."""

    seed: int
    method: str = fields.method()
    benchmark: str
    accuracy: float = fields.share()
    bin_auc: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """One row per world, benchmark and method."""

        unique = ["seed", "method", "benchmark"]
