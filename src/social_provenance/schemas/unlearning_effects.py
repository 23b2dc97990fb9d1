"""Tables of what forgetting did."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.forgetting.vocabulary import AGAINST_RANDOM, AGAINST_UNTOUCHED, ARMS, OUTCOMES
from social_provenance.schemas import fields


class _Contrast(fields.Table):
    benchmark: str
    topic: str = fields.topic(nullable=True)
    scope: str = pa.Field(isin=tuple(ARMS))
    algorithm: str


class _Reading(_Contrast):
    outcome: str = pa.Field(isin=tuple(OUTCOMES))
    reading: str


class UnlearningEffects(_Reading, fields.IntervalTable):
    """Influence minus random, of each contrast, outcome and reading."""

    step: float = pa.Field(ge=1, nullable=True)
    influence: float = pa.Field(nullable=True)
    random: float = pa.Field(nullable=True)
    influence_minus_random: float = pa.Field(nullable=True)
    n_targeted: int = fields.count()
    n_random: int = fields.count()
    n_random_less_damaging: float = pa.Field(ge=0, nullable=True)
    p: float = fields.share(nullable=True)
    smallest_p: float = fields.share(nullable=True)
    q: float = fields.share(nullable=True)
    others: float = pa.Field(nullable=True)
    did: float = pa.Field(nullable=True)
    did_low: float = pa.Field(nullable=True)
    did_high: float = pa.Field(nullable=True)
    selectivity: float = pa.Field(nullable=True)
    reason: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals of did are in order")
    @classmethod
    def did_in_order(cls, table: Any) -> Any:
        """Compare bounds."""
        return fields.bounds_in_order(table, "did_low", "did_high")

    @pa.dataframe_check(error="p is at least smallest_p")
    @classmethod
    def above_its_floor(cls, table: Any) -> Any:
        """Compare each p with what its number of random sets can reach."""
        return (table["p"] >= table["smallest_p"]) | table["p"].isna()

    @pa.dataframe_check(error="an estimate or a reason")
    @classmethod
    def explained(cls, table: Any) -> Any:
        """Say of each row whether it has either an estimate or the reason why not."""
        return table["influence_minus_random"].notna() ^ table["reason"].notna()

    class Config(fields.Table.Config):
        """A reading of an outcome is one row."""

        unique = ["benchmark", "topic", "scope", "algorithm", "outcome", "reading"]


class UnlearningSets(_Reading):
    """The mean change of every set of documents on every benchmark."""

    measured: str
    arm: str
    set: int = fields.count()
    runs: int = pa.Field(ge=1)
    change: float

    class Config(fields.Table.Config):
        """A set on a benchmark is one row of a reading."""

        unique = ["benchmark", "topic", "scope", "algorithm", "outcome", "reading", "measured", "arm", "set"]


class UnlearningEquivalence(_Reading):
    """Where two arms may be said to be alike."""

    comparison: str = pa.Field(isin=(AGAINST_RANDOM, AGAINST_UNTOUCHED))
    measured: str
    difference: float = pa.Field(nullable=True)
    low: float = pa.Field(nullable=True)
    high: float = pa.Field(nullable=True)
    margin: float = pa.Field(gt=0)
    p: float = fields.share(nullable=True)
    equivalent: bool
    reason: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="equivalent only with an interval within the margin")
    @classmethod
    def within_margin(cls, table: Any) -> Any:
        """Compare verdicts with intervals."""
        inside = (table["low"] >= -table["margin"]) & (table["high"] <= table["margin"])
        return ~table["equivalent"] | inside

    class Config(fields.Table.Config):
        """A comparison on a benchmark is one row of a reading."""

        unique = ["benchmark", "topic", "scope", "algorithm", "reading", "comparison", "measured"]


class UnlearningAcrossTopics(fields.IntervalTable):
    """Effects over topics, the topic being the unit."""

    algorithm: str
    outcome: str = pa.Field(isin=tuple(OUTCOMES))
    reading: str
    benchmark: str = pa.Field(nullable=True)
    n_topics: int = pa.Field(ge=1)
    mean: float
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)
    wilcoxon_p: float = fields.share()
    smallest_p: float = fields.share()
    rank_p: float = fields.share()
    smallest_rank_p: float = fields.share()
    mixed_mean: float = pa.Field(nullable=True)
    mixed_low: float = pa.Field(nullable=True)
    mixed_high: float = pa.Field(nullable=True)
    mixed_p: float = fields.share(nullable=True)
    mixed_reason: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="a mixed model or a reason")
    @classmethod
    def explained(cls, table: Any) -> Any:
        """Say of each row whether it has either a mixed model or the reason why not."""
        return table["mixed_mean"].notna() ^ table["mixed_reason"].notna()

    class Config(fields.Table.Config):
        """A benchmark, or all of them, is one row of a reading."""

        unique = ["algorithm", "outcome", "reading", "benchmark"]


class UnlearningDoseResponse(_Contrast):
    """The change of the aligned benchmark at every step of the grid."""

    arm: str
    step: int = fields.count()
    outcome: str = pa.Field(isin=tuple(OUTCOMES))
    mean: float
    low: float
    high: float
    forget_rise: float
    heldout_rise: float
    runs: int = pa.Field(ge=1)

    @pa.dataframe_check(error="the mean is within its band")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Compare the mean with least and largest."""
        room = 1e-9
        return (table["low"] <= table["mean"] + room) & (table["mean"] <= table["high"] + room)

    class Config(fields.Table.Config):
        """A step of an arm is one row of an outcome."""

        unique = ["benchmark", "topic", "scope", "algorithm", "arm", "step", "outcome"]


class UnlearningAlgorithms(fields.Table):
    """Algorithms side by side."""

    algorithm: str
    scope: str = pa.Field(isin=tuple(ARMS))
    contrasts: int = fields.count()
    aligned_hurt_more: int = fields.count()
    beyond_every_random_set: int = fields.count()
    influence_minus_random: float = pa.Field(nullable=True)
    did: float = pa.Field(nullable=True)
    forget_rise: float = pa.Field(nullable=True)
    retain_rise: float = pa.Field(nullable=True)
    heldout_rise: float = pa.Field(nullable=True)
    runs: int = pa.Field(ge=1)
    stopped: int = fields.count()
    failed: int = fields.count()

    class Config(fields.Table.Config):
        """An algorithm in a scope is one row."""

        unique = ["algorithm", "scope"]


class WorldEffects(UnlearningEffects):
    """Influence minus random in other worlds, at equal compute."""

    seed: int

    class Config(fields.Table.Config):
        """An outcome of a contrast is one row a world."""

        unique = ["seed", "benchmark", "topic", "scope", "algorithm", "outcome"]
