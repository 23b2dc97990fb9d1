"""How an unlearning study is planned and run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from social_provenance.pretraining.loop import Optimiser

Arm = Literal["influence_in_topic", "random_in_topic"]
ARMS: tuple[Arm, ...] = ("influence_in_topic", "random_in_topic")
Algorithm = Literal["ngdiff"]


class Lora(BaseModel):
    """Low-rank adapters (Hu et al. 2021) instead of all weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: PositiveInt = 8
    """Rank of an adapter."""
    alpha: PositiveInt = 16
    """What an adapter adds is multiplied by ``alpha / rank``."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of an adapter's inputs that are dropped in training."""
    targets: Sequence[str] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Modules that get an adapter, by the last part of their name."""


class Unlearning(BaseModel):
    """An unlearning study: for each benchmark, its most influential topic, two arms, some seeds.

    Both arms have the same algorithm, steps, learning rate, numbers of documents, retain documents
    and seeds; nothing stops on a benchmark.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: Algorithm = "ngdiff"
    """How a step forgets and retains, one of ``forgetting/objectives``."""
    seeds: Annotated[Sequence[int], Field(min_length=1)] = (0, 1, 2)
    """Each draws its own random set, retain documents and order."""
    forget_documents: PositiveInt = 24
    """Documents to forget, in each arm."""
    retain_per_topic: PositiveInt = 8
    """Documents to retain from each other topic."""
    neighbours: PositiveInt = 10
    """A random document is drawn among this many of the topic that are nearest in length to the
    influential one that it stands for."""
    steps: PositiveInt = 12
    """Optimiser steps of a run: the dose."""
    batch_documents: PositiveInt = 8
    """Documents of each set in a step."""
    optimiser: Optimiser = Optimiser(learning_rate=3e-4, weight_decay=0.0)
    """How the weights are moved, at a constant learning rate."""
    lora: Lora | None = None
    """Adapters, or null for all weights."""

    @model_validator(mode="after")
    def _seeds_differ(self) -> Unlearning:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds {list(self.seeds)} repeat: a run that is counted twice narrows the interval")
        return self
