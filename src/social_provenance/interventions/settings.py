"""Parameters of tail-patches and retrainings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from social_provenance.parameters import Parameters
from social_provenance.training.loop import Optimiser

Level = Literal["topic", "bin"]


class TailPatch(Parameters):
    """Parameters of tail-patches: extra training steps on the documents of one region, from the trained weights."""

    level: Level = "topic"
    """Regions: the 24 topics, or the 576 bins."""
    doses: Annotated[Sequence[PositiveInt], Field(min_length=1)] = (1, 2, 4)
    """Optimiser steps after which the benchmarks are evaluated; the largest ends a patch."""
    repeats: Annotated[int, Field(ge=2)] = 2
    """Patches per region, each on different mini-batches; two or more, for an interval."""
    batch_documents: PositiveInt = 8
    """Documents per step."""
    items: PositiveInt | None = None
    """Items per benchmark, evenly spaced; null: all."""
    seed: int = 0
    """Seed of the mini-batches."""
    optimiser: Optimiser = Optimiser(learning_rate=2e-3, weight_decay=0.0)
    """Optimiser; its learning rate is constant."""

    @model_validator(mode="after")
    def _doses_rise(self) -> TailPatch:
        if list(self.doses) != sorted(set(self.doses)):
            raise ValueError(f"doses {list(self.doses)} must be strictly increasing: put each once, the smallest first")
        return self


class Counterfactual(Parameters):
    """Parameters of retraining without topics, the ground truth that cheaper checks are compared with."""

    topics: Sequence[str] | None = None
    """Topics to leave out, one at a time; null: all."""
    halves: NonNegativeInt = 12
    """Random halves of all topics to leave out in addition, in complementary pairs."""
    seeds: Annotated[Sequence[int], Field(min_length=2)] = (0, 1)
    """Seeds of weights and order; two or more, because the noise of an effect is estimated between seeds."""
    evaluate_every: PositiveInt = 16
    """Steps between evaluations of the benchmarks; the outcome ``training_mean`` is their mean."""

    @model_validator(mode="after")
    def _differ(self) -> Counterfactual:
        for name, values in (("seeds", self.seeds), ("topics", self.topics or ())):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} {list(values)} must be unique: name each once")
        return self
