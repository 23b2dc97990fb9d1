"""Tables of tail-patches and of retraining."""

from __future__ import annotations

import pandera.pandas as pa

from social_provenance.schemas import fields


class TailPatchChanges(fields.Table):
    """Change of each benchmark after each dose of each tail-patch, nats per item."""

    topic: str = fields.topic()
    format: str = fields.form(nullable=True)
    repeat: int = fields.count()
    dose: int = pa.Field(ge=1)
    benchmark: str
    normalisation: str = fields.normalisation()
    change: float

    class Config(fields.Table.Config):
        """One row per region, repeat, dose and benchmark."""

        unique = ["topic", "format", "repeat", "dose", "benchmark"]


class TailPatch(fields.IntervalTable, fields.OptionalTable):
    """Effect of a tail-patch on a benchmark, relative to the mean region, nats per item."""

    topic: str = fields.topic()
    format: str = fields.form(nullable=True)
    benchmark: str
    dose: int = pa.Field(ge=1)
    normalisation: str = fields.normalisation()
    change: float
    effect: float
    standard_error: float = fields.count()
    n_repeats: int = pa.Field(ge=2)

    class Config(fields.Table.Config):
        """One row per region, benchmark and dose."""

        unique = ["topic", "format", "benchmark", "dose"]


class RetrainingTokens(fields.Table):
    """Token ids and topic of every training document."""

    doc_id: str = pa.Field(unique=True)
    topic: str = fields.topic()
    input_ids: object


class CounterfactualPlan(fields.Table):
    """Topics that every retraining leaves out."""

    seed: int
    arm: str
    design: str = pa.Field(isin=["topic", "half"])
    topic: str = fields.topic()
    steps: int = pa.Field(ge=1)
    evaluate_every: int = pa.Field(ge=1)

    class Config(fields.Table.Config):
        """One row per retraining and topic left out."""

        unique = ["seed", "arm", "topic"]


class CounterfactualEffects(fields.Table):
    """Effect of leaving topics out on each benchmark, nats per item."""

    arm: str
    design: str = pa.Field(isin=["topic", "half"])
    outcome: str = pa.Field(isin=["training_mean", "end"])
    benchmark: str
    normalisation: str = fields.normalisation()
    seed: int
    steps: int = pa.Field(ge=1)
    full: float = pa.Field(le=1e-6)
    without: float = pa.Field(le=1e-6)
    effect: float

    class Config(fields.Table.Config):
        """One row per retraining, outcome and benchmark."""

        unique = ["arm", "outcome", "benchmark", "seed"]


class CounterfactualAgreement(fields.OptionalTable):
    """Correlation of the predictions of each check with the effects of retraining."""

    design: str = pa.Field(isin=["topic", "half"])
    outcome: str = pa.Field(isin=["training_mean", "end"])
    benchmark: str
    method: str
    measure: str = pa.Field(isin=["rank", "value"])
    n_arms: int = pa.Field(ge=1)
    correlation: float = pa.Field(ge=-1, le=1, nullable=True)
    seed_correlation: float = pa.Field(ge=-1, le=1, nullable=True)
    reliability: float = fields.share(nullable=True)
    noise_ceiling: float = fields.share(nullable=True)

    class Config(fields.Table.Config):
        """One row per design, outcome, benchmark, check and measure."""

        unique = ["design", "outcome", "benchmark", "method", "measure"]
