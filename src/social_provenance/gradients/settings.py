"""Parameters of the gradients of documents and queries."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt, model_validator

from social_provenance.parameters import Parameters


class GradientSettings(Parameters):
    """Settings that change a gradient; one store is of one value of each."""

    projection_dim: PositiveInt = 16
    """Side of the random projection: the projected gradient of a module has this number squared of dimensions."""
    projection_type: Literal["rademacher", "normal"] = "rademacher"
    """Distribution of the entries of the projection matrices."""
    loss_reduction: Literal["sum", "mean"] = "sum"
    """Reduction of token losses to the loss of a document."""
    max_tokens: PositiveInt = 4096
    """Token budget: a longer document is truncated, a longer query is an error."""
    token_batch: PositiveInt = 4096
    """Tokens of a batch, padding included; at least ``max_tokens``."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Precision of the forward and backward pass: ``tf32`` rounds the factors of matrix products on GPUs that can,
    ``bf16`` holds weights and activations in half the memory."""
    attention: Literal["auto", "sdpa", "eager"] = "auto"
    """Implementation of attention: that which transformers chooses, a fused kernel, or the plain formula, whose
    memory grows with the square of the tokens."""
    normalizer: Literal["none", "adam"] = "none"
    """What gradients are divided by before they are projected: ``adam`` is the root of Adam's average of squared
    gradients in the model's folder, so that they are steps as the training took them, but for momentum."""
    store: Literal["fp32", "fp16"] = "fp32"
    """Precision on disk. Half precision halves the store; a gradient beyond its range is an error."""
    ranks_per_shard: PositiveInt = 100
    """Ranks of every bin's seeded order in a shard, with up to 576 documents per rank. A shard is the unit
    of resume, and of what a larger nested sample shares with a smaller one."""
    moe_experts: str = ""
    """Globs, separated by commas, of mixture-of-experts layers whose fused experts are split into modules."""

    @model_validator(mode="after")
    def _budget_fits_a_batch(self) -> GradientSettings:
        if self.max_tokens > self.token_batch:
            raise ValueError(f"max_tokens {self.max_tokens} is above token_batch {self.token_batch}: raise token_batch")
        return self


class Distributed(Parameters):
    """Processes that compute the gradients; they do not change what is stored."""

    nnode: PositiveInt = 1
    """Nodes."""
    nproc_per_node: PositiveInt = 1
    """Processes per node: one for each GPU."""
    fsdp: bool = False
    """Shard the model over the processes (FSDP), for one that a single GPU cannot hold."""

    @property
    def processes(self) -> int:
        """All processes of all nodes."""
        return self.nnode * self.nproc_per_node
