"""How an unlearning study is planned and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.registry import Algorithm
from social_provenance.training.loop import Optimiser


class Lora(BaseModel):
    """Low-rank adapters (Hu et al. 2021) instead of all weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: PositiveInt = 8
    """Rank of an adapter."""
    alpha: PositiveInt = 16
    """What an adapter adds is multiplied by ``alpha / rank``."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of an adapter's inputs that are dropped in training."""
    targets: Annotated[Sequence[str], Field(min_length=1)] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Modules that get an adapter, by the last part of their name."""


class Matching(BaseModel):
    """How a random set is made alike to the targeted one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbours: PositiveInt = 10
    """A random document is drawn among this many that are nearest in length, gradient norm and loss to
    the targeted one that it stands for."""
    tolerance: PositiveFloat = 0.1
    """Largest standardised difference of means; exchanges bring a set below it where they can."""
    token_tolerance: PositiveFloat = 0.02
    """Largest relative difference of tokens."""


class HeldOut(BaseModel):
    """Documents of every bin that no run of a contrast forgets or retains: what else a run damages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt = 1
    """Documents of each bin, where so many are left."""
    max_tokens: PositiveInt | None = 32
    """Tokens of a document that are looked at; null: all."""


class Unlearning(BaseModel):
    """An unlearning study: which documents to forget, with which algorithms, how much, and what to look at.

    All runs of a contrast have the same algorithm, steps, learning rate, number of documents, about the
    same number of tokens, and the same retained documents; nothing stops on a benchmark.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithms: Annotated[Sequence[Algorithm], Field(min_length=1)] = (NGDiff(),)
    """How steps forget and retain, each one of ``forgetting/objectives``."""
    topics: PositiveInt = 1
    """Topics of each benchmark that are put to the test, those of largest z."""
    order_seeds: Annotated[Sequence[int], Field(min_length=1)] = (0, 1)
    """Orders in which the targeted set is forgotten, a run each; random sets take them in turn."""
    random_sets: PositiveInt = 5
    """Random sets of the topic that the targeted set stands against; p cannot be below 1 / (sets + 1)."""
    global_sets: NonNegativeInt = 1
    """Random sets of the whole corpus that the most influential documents anywhere stand against; 0: no
    global arms."""
    forget_documents: Annotated[int, Field(ge=2)] = 24
    """Documents of a set; of a single one nothing could be said about how alike sets are."""
    retain_per_topic: PositiveInt = 8
    """Documents to retain from each topic (not from that of the sets), spread over its formats."""
    matching: Matching = Matching()
    """How random sets are drawn."""
    held_out: HeldOut = HeldOut()
    """What shows other damage."""
    seed: int = 0
    """Of random sets, retained and held-out documents."""
    steps: PositiveInt = 12
    """Optimiser steps of a run: the dose."""
    read_every: PositiveInt = 4
    """Steps between readings of every loss and every benchmark."""
    batch_documents: PositiveInt = 8
    """Documents of each set in a step."""
    read_documents: PositiveInt = 32
    """Documents that a loss is read of at a time."""
    optimiser: Optimiser = Optimiser(learning_rate=3e-4, weight_decay=0.0)
    """How the weights are moved, at a constant learning rate."""
    lora: Lora | None = None
    """Adapters, or null for all weights."""
    max_held_out_rise: PositiveFloat = 1.0
    """Rise of the held-out loss of any bin, nats a token, at which a run is stopped; the run says so."""
    processes: PositiveInt = 1
    """Processes that share the runs, each with a device of its own where there are several."""
    effects: EffectSettings = EffectSettings()
    """What is read from the runs."""

    @model_validator(mode="after")
    def _name_once(self) -> Unlearning:
        for name, values in (
            ("order_seeds", list(self.order_seeds)),
            ("algorithms", [algorithm.name for algorithm in self.algorithms]),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} {values} repeat: a run that is counted twice narrows the interval")
        return self

    @model_validator(mode="after")
    def _readings_fit(self) -> Unlearning:
        if self.steps % self.read_every:
            raise ValueError(
                f"steps ({self.steps}) is no multiple of read_every ({self.read_every}): the last reading would not "
                f"be at the end"
            )
        return self

    @property
    def grid(self) -> range:
        """Steps after which everything is read."""
        return range(self.read_every, self.steps + 1, self.read_every)
