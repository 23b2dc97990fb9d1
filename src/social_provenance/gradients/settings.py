"""How gradients are collected and compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

GradientMethod = Literal["trackstar", "influence", "gradient_cosine", "trak"]
Baseline = Literal["bm25", "embedding", "length", "loss"]
Method = Literal["trackstar", "influence", "gradient_cosine", "trak", "ekfac", "bm25", "embedding", "length", "loss"]
GRADIENT_METHODS: tuple[GradientMethod, ...] = get_args(GradientMethod)
"""Methods that the gradient store serves."""
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
"""Methods without a gradient; a method that agrees with one of them has found no more than that."""
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
    """Token budget: a longer document is cut, a longer query is an error."""
    token_batch: PositiveInt = 4096
    """Tokens, with padding, in a batch; at least ``max_tokens``."""
    store: Literal["fp32", "fp16"] = "fp32"
    """Numbers on disk. Half precision halves the store; a gradient beyond its range is an error."""
    ranks_per_shard: PositiveInt = 100
    """Places in the bins' seeded order that a shard takes, so at most 576 times as many documents.
    A shard is the unit of resume, and of what a larger nested sample shares with a smaller one."""
    moe_experts: str = ""
    """Globs, divided by commas, of mixture-of-experts layers whose fused experts are taken apart."""

    @model_validator(mode="after")
    def _budget_fits_a_batch(self) -> GradientSettings:
        if self.max_tokens > self.token_batch:
            raise ValueError(f"max_tokens {self.max_tokens} is above token_batch {self.token_batch}: raise token_batch")
        return self


class Distributed(BaseModel):
    """The processes that walk the corpus; they do not change what is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nnode: PositiveInt = 1
    """Nodes."""
    nproc_per_node: PositiveInt = 1
    """Processes on each node: one for each GPU."""
    fsdp: bool = False
    """Divide the model over the processes, for one that a single GPU cannot hold."""

    @property
    def processes(self) -> int:
        """All processes of all nodes."""
        return self.nnode * self.nproc_per_node


class ScoringSettings(BaseModel):
    """Settings of the comparison; changing them needs no gradient anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: Annotated[Sequence[Method], Field(min_length=1)] = ("trackstar", "influence")
    """``trackstar``: cosine of preconditioned gradients. ``influence``: their inner product.
    ``gradient_cosine``: cosine without a preconditioner. ``trak``: inner product under one kernel for
    all modules. ``ekfac``: inner product under Bergson's Kronecker-factored inverse, with walks of its
    own. Baselines: ``bm25``, ``embedding`` (cosine of mean hidden states), ``length``, ``loss``."""
    default_method: Method = "trackstar"
    """The method that later stages and the first pages of the report go by."""
    damping: NonNegativeFloat = 0.1
    """Added to the eigenvalues of the second moment, in units of their mean."""
    target_component: PositiveInt = 1000
    """Where the spectra of the benchmark's and the corpus's second moment are made to cross."""
    winsorise: PositiveFloat | None = 10.0
    """Longer gradients are shortened to this many median norms; null: outliers are only counted."""
    max_joint: PositiveInt = 8192
    """Most numbers a document for which ``trak`` makes its joint kernel, a square matrix of them."""
    chunk: PositiveInt = 8192
    """Documents read from the store at a time."""

    @model_validator(mode="after")
    def _factors_are_damped(self) -> ScoringSettings:
        if "ekfac" in self.methods and self.damping == 0:
            raise ValueError("damping 0 leaves the inverse of ekfac without bounds: raise damping, or leave ekfac out")
        return self

    @model_validator(mode="after")
    def _default_is_computed(self) -> ScoringSettings:
        if self.default_method not in self.methods:
            raise ValueError(f"default_method {self.default_method!r} is not among methods {list(self.methods)}")
        return self
