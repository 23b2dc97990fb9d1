"""Tables of the unlearning study."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.forgetting.settings import ARMS
from social_provenance.schemas import fields


class _Run(fields.Table):
    run_id: str = pa.Field(unique=True)
    benchmark: str
    topic: str = fields.topic()
    arm: str = pa.Field(isin=ARMS)
    algorithm: str
    seed: int
    steps: int = pa.Field(ge=1)
    forget_tokens: int = pa.Field(ge=1)


class UnlearningPlan(_Run):
    """Every run: what is forgotten, what retained."""

    forget_ids: object
    retain_ids: object

    @pa.dataframe_check(error="nothing is both forgotten and retained")
    @classmethod
    def disjoint(cls, table: Any) -> bool:
        """Compare the sets of each run."""
        return all(
            set(forget).isdisjoint(retain)
            for forget, retain in zip(table["forget_ids"], table["retain_ids"], strict=True)
        )


class UnlearningRuns(_Run):
    """Every run: its losses (nats a token, whole sets) and its checkpoint."""

    n_forget: int = pa.Field(ge=1)
    n_retain: int = pa.Field(ge=1)
    forget_loss_before: float = fields.count()
    retain_loss_before: float = fields.count()
    forget_loss_after: float = fields.count()
    retain_loss_after: float = fields.count()
    checkpoint: str


class UnlearningEvaluations(fields.Table):
    """Every benchmark after every run, and of the untouched model."""

    run_id: str
    benchmark: str
    accuracy: float = fields.share()
    gold_logprob: float = pa.Field(le=0)
    choice_logprob: float = pa.Field(le=1e-6)

    class Config(fields.Table.Config):
        """A benchmark of a run is one row."""

        unique = ["run_id", "benchmark"]


class UnlearningTrajectory(fields.Table):
    """What was measured at each step of each run."""

    run_id: str
    step: int = pa.Field(ge=1)
    forget_loss: float = fields.count()
    retain_loss: float = fields.count()
    forget_grad_norm: float = fields.count()
    retain_grad_norm: float = fields.count()
    grad_norm: float = fields.count()

    class Config(fields.Table.Config):
        """A step of a run is one row."""

        unique = ["run_id", "step"]


class UnlearningEffects(fields.IntervalTable):
    """Influence minus random, of each aligned benchmark and outcome."""

    benchmark: str
    topic: str = fields.topic()
    algorithm: str
    outcome: str
    influence: float
    random: float
    influence_minus_random: float
    ci_low: float
    ci_high: float
    others: float = pa.Field(nullable=True)
    seeds: int = pa.Field(ge=1)

    class Config(fields.Table.Config):
        """An outcome is one row."""

        unique = ["benchmark", "topic", "algorithm", "outcome"]
