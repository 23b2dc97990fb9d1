"""Parameters of the taxonomy pipeline."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt


class Labelling(BaseModel):
    """How documents without given labels get theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the given labels on which the classifier is measured."""
    max_chars: PositiveInt = 4000
    """Characters of a document that the classifier looks at."""
    max_train: PositiveInt = 100_000
    """Most documents to train on."""
    batch: PositiveInt = 10_000
    """Documents labelled at a time."""
    seed: int = 0
    """Seed of the held-out draw and the training."""


class WorkingSet(BaseModel):
    """The stratified sample that is attributed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_bin: PositiveInt = 10_000
    """Most documents of each of the 576 bins."""
    seed: int = 42
    """Orders the documents of a bin; a smaller sample with the same seed is a subset."""
    min_documents: NonNegativeInt = 0
    """Documents below which the sample is an error."""
