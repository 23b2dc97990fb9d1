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
    """Every run: what is forgotten, what retained, what tells of other damage."""

    forget_ids: object
    retain_ids: object
    held_out_ids: object

    @pa.dataframe_check(error="a document is in one of a run's sets")
    @classmethod
    def disjoint(cls, table: Any) -> bool:
        """Count the documents of each run."""
        return all(
            len({*forget, *retain, *held}) == len(forget) + len(retain) + len(held)
            for forget, retain, held in zip(*(table[name] for name in IDS), strict=True)
        )


class UnlearningBalance(fields.Table):
    """How alike each random set is to the targeted one."""

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
        """A variable of a set is one row."""

        unique = ["benchmark", "topic", "scope", "set", "variable"]


class UnlearningRuns(_Run):
    """Every run: how it ended, and its checkpoint."""

    n_forget: int = pa.Field(ge=1)
    n_retain: int = pa.Field(ge=1)
    status: str = pa.Field(isin=STATUSES)
    last_step: int = pa.Field(ge=0)
    reason: str = pa.Field(nullable=True)
    checkpoint: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="a run that is not done says why, and one that failed has no checkpoint")
    @classmethod
    def explained(cls, table: Any) -> Any:
        """Compare status, reason and checkpoint."""
        explained = table["reason"].isna() == (table["status"] == DONE)
        return explained & (table["checkpoint"].isna() == (table["status"] == FAILED))


class _OfRun(fields.Table):
    run_id: str
    step: int = pa.Field(ge=0)


class UnlearningAnswers(_OfRun):
    """The answer to each item at each reading of each run."""

    benchmark: str
    item: str
    cluster: str
    correct: bool
    gold_logprob: float = pa.Field(le=0)
    margin: float
    choice_logprob: float = pa.Field(le=1e-6)


class UnlearningEvaluations(_OfRun):
    """Every benchmark at each reading of each run, and of the untouched model."""

    benchmark: str
    accuracy: float = fields.share()
    gold_logprob: float = pa.Field(le=0)
    choice_logprob: float = pa.Field(le=1e-6)

    class Config(fields.Table.Config):
        """A benchmark at a reading is one row."""

        unique = ["run_id", "step", "benchmark"]


class UnlearningTrajectory(_OfRun):
    """The losses at each reading of each run, nats a token."""

    forget_loss: float = fields.count()
    retain_loss: float = fields.count()
    heldout_loss: float = pa.Field(ge=0, nullable=True)
    heldout_rise: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A reading is one row."""

        unique = ["run_id", "step"]


class UnlearningHeldOut(_OfRun):
    """The held-out loss of each bin at each reading of each run, nats a token."""

    topic: str = fields.topic()
    format: str = fields.form()
    loss: float = fields.count()

    class Config(fields.Table.Config):
        """A bin at a reading is one row."""

        unique = ["run_id", "step", "topic", "format"]


class UnlearningSteps(_OfRun):
    """What was measured in each step of each run; an algorithm that does not measure a thing has a null."""

    step: int = pa.Field(ge=1)
    forget_loss: float = pa.Field(nullable=True)
    retain_loss: float = pa.Field(nullable=True)
    forget_objective: float = pa.Field(nullable=True)
    retain_objective: float = pa.Field(nullable=True)
    forget_grad_norm: float = pa.Field(nullable=True)
    retain_grad_norm: float = pa.Field(nullable=True)
    grad_norm: float = pa.Field(nullable=True)

    class Config(fields.Table.Config):
        """A step is one row; which columns there are depends on the algorithms."""

        unique = ["run_id", "step"]
        add_missing_columns = True
