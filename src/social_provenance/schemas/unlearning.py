"""Tables of the runs of an unlearning study."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.forgetting.vocabulary import ARMS, DONE, FAILED, IDS, STATUSES, VARIABLES
from social_provenance.schemas import fields


class _Run(fields.Table):
    run_id: str = pa.Field(unique=True)
    benchmark: str
    topic: str = fields.topic(nullable=True)
    scope: str = pa.Field(isin=list(ARMS))
    arm: str = pa.Field(isin=[arm for pair in ARMS.values() for arm in pair])
    set: int = pa.Field(ge=0)
    algorithm: str
    seed: int
    steps: int = pa.Field(ge=1)
    forget_tokens: int = pa.Field(ge=1)
    digest: str

    @pa.dataframe_check(error="a global run has no topic, any other has one")
    @classmethod
    def topic_of_scope(cls, table: Any) -> Any:
        """Compare scope and topic."""
        return table["topic"].isna() == (table["scope"] == "global")


class UnlearningPlan(_Run):
    """Every run with its forget, retain and held-out documents."""

    forget_ids: object
    retain_ids: object
    held_out_ids: object

    @pa.dataframe_check(error="a document is in one of a run's sets")
    @classmethod
    def disjoint(cls, table: Any) -> bool:
        """Compare the number of distinct documents with the sizes of the sets."""
        return all(
            len({*forget, *retain, *held}) == len(forget) + len(retain) + len(held)
            for forget, retain, held in zip(*(table[name] for name in IDS), strict=True)
        )


class UnlearningBalance(fields.OptionalTable):
    """Balance of each random set against the targeted one, per matched variable."""

    benchmark: str
    topic: str = fields.topic(nullable=True)
    scope: str = pa.Field(isin=list(ARMS))
    set: int = pa.Field(ge=0)
    variable: str = pa.Field(isin=VARIABLES)
    targeted: float
    control: float
    unmatched: float
    standardised_difference: float
    unmatched_difference: float

    class Config(fields.Table.Config):
        """One row per set and variable."""

        unique = ["benchmark", "topic", "scope", "set", "variable"]


class UnlearningRuns(_Run, fields.OptionalTable):
    """Every run with its status and checkpoint."""

    n_forget: int = pa.Field(ge=1)
    n_retain: int = pa.Field(ge=1)
    status: str = pa.Field(isin=STATUSES)
    last_step: int = pa.Field(ge=0)
    reason: str = pa.Field(nullable=True)
    checkpoint: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="a run that is not done says why, and one that failed has no checkpoint")
    @classmethod
    def explained(cls, table: Any) -> Any:
        """Check that reason and checkpoint agree with the status."""
        explained = table["reason"].isna() == (table["status"] == DONE)
        return explained & (table["checkpoint"].isna() == (table["status"] == FAILED))


class _OfRun(fields.Table):
    run_id: str
    step: int = pa.Field(ge=0)


class UnlearningAnswers(_OfRun):
    """Answer to each item at each evaluation of each run."""

    benchmark: str
    item: str
    cluster: str
    normalisation: str = fields.normalisation()
    correct: bool
    gold_logprob: float = pa.Field(le=0)
    margin: float
    choice_logprob: float = pa.Field(le=1e-6)


class UnlearningEvaluations(_OfRun, fields.OptionalTable):
    """Means of every benchmark at each evaluation of each run, and of the untouched model."""

    benchmark: str
    normalisation: str = fields.normalisation()
    accuracy: float = fields.share()
    gold_logprob: float = pa.Field(le=0)
    choice_logprob: float = pa.Field(le=1e-6)

    class Config(fields.Table.Config):
        """One row per run, step and benchmark."""

        unique = ["run_id", "step", "benchmark"]


class UnlearningTrajectory(_OfRun):
    """Losses at each evaluation of each run, nats per token."""

    forget_loss: float = fields.count()
    retain_loss: float = fields.count()
    forget_loss_se: float = fields.count()
    retain_loss_se: float = fields.count()
    heldout_loss: float = pa.Field(ge=0, nullable=True)
    heldout_rise: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per run and step."""

        unique = ["run_id", "step"]


class UnlearningHeldOut(_OfRun):
    """Held-out loss of each bin at each evaluation of each run, nats per token."""

    topic: str = fields.topic()
    format: str = fields.form()
    loss: float = fields.count()

    class Config(fields.Table.Config):
        """One row per run, step and bin."""

        unique = ["run_id", "step", "topic", "format"]


class UnlearningSteps(_OfRun):
    """Measurements of each optimiser step of each run; null where an algorithm does not measure a value."""

    step: int = pa.Field(ge=1)
    forget_loss: float = pa.Field(nullable=True)
    retain_loss: float = pa.Field(nullable=True)
    forget_objective: float = pa.Field(nullable=True)
    retain_objective: float = pa.Field(nullable=True)
    forget_grad_norm: float = pa.Field(nullable=True)
    retain_grad_norm: float = pa.Field(nullable=True)
    grad_norm: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """One row per run and step; the columns depend on the algorithms."""

        unique = ["run_id", "step"]
        add_missing_columns = True
