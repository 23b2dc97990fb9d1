"""Parameters of the gradients of documents and queries."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, model_validator


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
