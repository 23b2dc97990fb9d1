"""How tail-patches and retrainings are planned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from social_provenance.training.loop import Optimiser

Level = Literal["topic", "bin"]


class TailPatch(BaseModel):
    """A few more training steps on documents of one region, from the trained weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level = "topic"
    """What a patch is made of: each of the 24 topics, or each of the 576 bins."""
    doses: Annotated[Sequence[PositiveInt], Field(min_length=1)] = (1, 2, 4)
    """Optimiser steps after which the benchmarks are asked; the largest ends a patch."""
    repeats: Annotated[int, Field(ge=2)] = 2
    """Patches of a region, each on other mini-batches of it; two or more, for an interval."""
    batch_documents: PositiveInt = 8
    """Documents of a step."""
    items: PositiveInt | None = None
    """Items of each benchmark that are asked, evenly spaced through it; null: all."""
    seed: int = 0
    """Of the mini-batches."""
    optimiser: Optimiser = Optimiser(learning_rate=2e-3, weight_decay=0.0)
    """How the weights are moved, at a constant learning rate."""

    @model_validator(mode="after")
    def _doses_rise(self) -> TailPatch:
        if list(self.doses) != sorted(set(self.doses)):
            raise ValueError(f"doses {list(self.doses)} must rise: each is asked once, on the way to the last")
        return self


class Counterfactual(BaseModel):
    """Retraining without a topic, as the truth that cheaper checks are held against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: Sequence[str] | None = None
    """Topics to leave out, one at a time; null: every one."""
    halves: NonNegativeInt = 12
    """Halves of all topics to leave out besides, drawn at random: a half, then the other one."""
    seeds: Annotated[Sequence[int], Field(min_length=2)] = (0, 1)
    """Seeds of weights and order; two or more, because one cannot tell an effect from its noise."""
    evaluate_every: PositiveInt = 16
    """Steps between looks at the benchmarks, of which the outcome ``training_mean`` is the mean."""

    @model_validator(mode="after")
    def _differ(self) -> Counterfactual:
        for name, values in (("seeds", self.seeds), ("topics", self.topics or ())):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} {list(values)} repeat: name each once")
        return self
