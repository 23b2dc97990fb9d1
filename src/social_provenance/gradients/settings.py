"""How gradients are collected and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, model_validator

Method = Literal["trackstar", "influence"]
METHODS: tuple[Method, ...] = get_args(Method)


class GradientSettings(BaseModel):
    """Settings that change a gradient; a store is for one value of all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    projection_dim: PositiveInt = 16
    """Side of the random projection: a module's gradient becomes this number squared."""
    projection_type: Literal["rademacher", "normal"] = "rademacher"
    """Entries of the projection matrices."""
    loss_reduction: Literal["sum", "mean"] = "sum"
    """How token losses become the loss of a document."""
    max_tokens: PositiveInt = 4096
    """Token budget: a longer document is cut."""
    token_batch: PositiveInt = 4096
    """Tokens, with padding, in a batch; at least ``max_tokens``."""
    documents_per_part: PositiveInt = 50_000
    """Documents in a part of the store, which is the unit of resume."""


class ScoringSettings(BaseModel):
    """Settings of the comparison; changing them needs no gradient anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: Annotated[Sequence[Method], Field(min_length=1)] = ("trackstar", "influence")
    """``trackstar``: cosine of preconditioned gradients. ``influence``: their inner product."""
    default_method: Method = "trackstar"
    """The method that later stages and the first pages of the report go by."""
    damping: NonNegativeFloat = 0.1
    """Added to the eigenvalues of the second moment, in units of their mean."""
    target_component: PositiveInt = 1000
    """Where the spectra of the benchmark's and the corpus's second moment are made to cross."""
    chunk: PositiveInt = 8192
    """Documents read from the store at a time."""

    @model_validator(mode="after")
    def _default_is_computed(self) -> ScoringSettings:
        if self.default_method not in self.methods:
            raise ValueError(f"default_method {self.default_method!r} is not among methods {list(self.methods)}")
        return self
