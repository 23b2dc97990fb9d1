"""Tables of tail-patches and of retraining."""

from __future__ import annotations

import pandera.pandas as pa

from social_provenance.schemas import fields


class TailPatchChanges(fields.Table):
    """What each patch changed in each benchmark, nats an item."""

    topic: str = fields.topic()
    format: str = fields.form(nullable=True)
    repeat: int = fields.count()
    dose: int = pa.Field(ge=1)
    benchmark: str
    change: float

    class Config(fields.Table.Config):
        """A benchmark after a dose of a patch is one row."""

        unique = ["topic", "format", "repeat", "dose", "benchmark"]


class TailPatch(fields.IntervalTable, fields.OptionalTable):
    """What training on a region adds to a benchmark, against the mean region."""

    topic: str = fields.topic()
    format: str = fields.form(nullable=True)
    benchmark: str
    dose: int = pa.Field(ge=1)
    change: float
    effect: float
    standard_error: float = fields.count()
    n_repeats: int = pa.Field(ge=2)

    class Config(fields.Table.Config):
        """A region, a benchmark and a dose are one row."""

        unique = ["topic", "format", "benchmark", "dose"]


class RetrainingTokens(fields.Table):
    """What the model was trained on, with its topic."""

    doc_id: str = pa.Field(unique=True)
    topic: str = fields.topic()
    input_ids: object


class CounterfactualPlan(fields.Table):
    """What every retraining leaves out."""

    seed: int
    arm: str
    design: str = pa.Field(isin=["topic", "half"])
    topic: str = fields.topic()
    steps: int = pa.Field(ge=1)
    evaluate_every: int = pa.Field(ge=1)

    class Config(fields.Table.Config):
        """A topic that a retraining leaves out is one row."""

        unique = ["seed", "arm", "topic"]


class CounterfactualEffects(fields.Table):
    """What leaving topics out did to a benchmark, nats an item."""

    arm: str
    design: str = pa.Field(isin=["topic", "half"])
    outcome: str = pa.Field(isin=["training_mean", "end"])
    benchmark: str
    seed: int
    steps: int = pa.Field(ge=1)
    full: float = pa.Field(le=1e-6)
    without: float = pa.Field(le=1e-6)
    effect: float

    class Config(fields.Table.Config):
        """An outcome of a benchmark in a retraining is one row."""

        unique = ["arm", "outcome", "benchmark", "seed"]


class CounterfactualAgreement(fields.OptionalTable):
    """How far a check foretells what retraining did."""

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
        """A check of a benchmark is one row a design, an outcome and a measure."""

        unique = ["design", "outcome", "benchmark", "method", "measure"]
