"""Tables of the effects of unlearning."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.forgetting.vocabulary import AGAINST_RANDOM, AGAINST_UNTOUCHED, ARMS, MEASURES, OUTCOMES
from social_provenance.schemas import fields


class _Contrast(fields.Table):
    benchmark: str
    topic: str = fields.topic(nullable=True)
    scope: str = pa.Field(isin=tuple(ARMS))
    algorithm: str


class _Reading(_Contrast):
    outcome: str = pa.Field(isin=tuple(OUTCOMES))
    reading: str


class UnlearningEffects(_Reading, fields.IntervalTable, fields.OptionalTable):
    """Difference in differences and influence minus random, per contrast, outcome and reading."""

    normalisation: str = fields.normalisation()
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
    did_n_random_less_damaging: float = pa.Field(ge=0, nullable=True)
    did_p: float = fields.share(nullable=True)
    did_q: float = fields.share(nullable=True)
    selectivity: float = pa.Field(nullable=True)
    reason: str = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals of did are in order")
    @classmethod
    def did_in_order(cls, table: Any) -> Any:
        """Compare the bounds of each interval."""
        return fields.bounds_in_order(table, "did_low", "did_high")

    @pa.dataframe_check(error="p is at least smallest_p")
    @classmethod
    def above_its_floor(cls, table: Any) -> Any:
        """Compare each p with the smallest one attainable with its number of random sets."""
        p = table[[measure.p for measure in MEASURES]]
        return (p.ge(table["smallest_p"], axis=0) | p.isna()).all(axis=1)

    @pa.dataframe_check(error="an estimate or a reason")
    @classmethod
    def explained(cls, table: Any) -> Any:
        """Check that each row has either an estimate or a reason."""
        return table["influence_minus_random"].notna() ^ table["reason"].notna()

    class Config(fields.Table.Config):
        """One row per contrast, outcome and reading."""

        unique = ["benchmark", "topic", "scope", "algorithm", "outcome", "reading"]


class UnlearningSets(_Reading, fields.OptionalTable):
    """Mean change of every set of documents on every benchmark."""

    measured: str
    arm: str
    set: int = fields.count()
    runs: int = pa.Field(ge=1)
    change: float

    class Config(fields.Table.Config):
        """One row per contrast, outcome, reading, benchmark and set."""

        unique = ["benchmark", "topic", "scope", "algorithm", "outcome", "reading", "measured", "arm", "set"]


class UnlearningEquivalence(_Reading, fields.OptionalTable):
    """Equivalence tests of two arms."""

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
        """Compare each verdict with its interval."""
        inside = (table["low"] >= -table["margin"]) & (table["high"] <= table["margin"])
        return ~table["equivalent"] | inside

    class Config(fields.Table.Config):
        """One row per contrast, reading, comparison and benchmark."""

        unique = ["benchmark", "topic", "scope", "algorithm", "reading", "comparison", "measured"]


class UnlearningAcrossTopics(fields.IntervalTable, fields.OptionalTable):
    """Tests over topics, the topic being the unit."""

    algorithm: str
    outcome: str = pa.Field(isin=tuple(OUTCOMES))
    reading: str
    benchmark: str = pa.Field(nullable=True)
    measure: str = pa.Field(isin=[measure.value for measure in MEASURES])
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
        """Check that each row has either a mixed model or a reason."""
        return table["mixed_mean"].notna() ^ table["mixed_reason"].notna()

    class Config(fields.Table.Config):
        """One row per algorithm, outcome, reading, benchmark (null: all) and measure."""

        unique = ["algorithm", "outcome", "reading", "benchmark", "measure"]


class UnlearningDoseResponse(_Contrast, fields.OptionalTable):
    """Change of the aligned benchmark at every evaluated step."""

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
        """Compare the mean with the smallest and largest value."""
        room = 1e-9
        return (table["low"] <= table["mean"] + room) & (table["mean"] <= table["high"] + room)

    class Config(fields.Table.Config):
        """One row per contrast, arm, step and outcome."""

        unique = ["benchmark", "topic", "scope", "algorithm", "arm", "step", "outcome"]


class UnlearningAlgorithms(fields.OptionalTable):
    """Comparison of algorithms."""

    algorithm: str
    scope: str = pa.Field(isin=tuple(ARMS))
    contrasts: int = fields.count()
    did_hurt_more: int = fields.count()
    did_beyond_every_random_set: int = fields.count()
    did: float = pa.Field(nullable=True)
    aligned_hurt_more: int = fields.count()
    beyond_every_random_set: int = fields.count()
    influence_minus_random: float = pa.Field(nullable=True)
    forget_rise: float = pa.Field(nullable=True)
    retain_rise: float = pa.Field(nullable=True)
    heldout_rise: float = pa.Field(nullable=True)
    runs: int = pa.Field(ge=1)
    stopped: int = fields.count()
    failed: int = fields.count()

    class Config(fields.Table.Config):
        """One row per algorithm and scope."""

        unique = ["algorithm", "scope"]


class WorldEffects(UnlearningEffects):
    """Effects of unlearning in other worlds, at equal compute."""

    seed: int

    class Config(fields.Table.Config):
        """One row per world, contrast and outcome."""

        unique = ["seed", "benchmark", "topic", "scope", "algorithm", "outcome"]
