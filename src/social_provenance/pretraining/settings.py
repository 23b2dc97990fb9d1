"""Parameters of the pretraining of a small model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from social_provenance.parameters import Parameters
from social_provenance.training.loop import Optimiser

Share = Annotated[float, Field(ge=0, le=1)]


class Architecture(Parameters):
    """Shape of an OLMo3 model; the defaults give 0.7 M parameters with 1,280 tokens."""

    hidden_size: PositiveInt = 128
    """Dimensions of the residual stream; a multiple of ``heads``."""
    layers: PositiveInt = 2
    """Transformer blocks."""
    heads: PositiveInt = 4
    """Attention heads per block, with as many key-value heads."""
    intermediate_size: PositiveInt = 256
    """Dimensions of a block's feed-forward layer."""
    max_tokens: PositiveInt = 8192
    """Longest sequence, in tokens."""
    initial_std: PositiveFloat = 0.088
    """Standard deviation of the initial weights; about 1 / sqrt(hidden_size). The 0.02 of large models makes a
    small one stay on a plateau for a time that differs between benchmarks
    (docs/decisions/0005)."""


class Pretraining(Parameters):
    """Parameters of the pretraining of a small model."""

    seed: int = 0
    """Seed of the weights and of the order of the documents."""
    vocab_size: Annotated[int, Field(gt=256)] = 1280
    """Vocabulary of the byte-level BPE, tokens, including the 256 bytes."""
    architecture: Architecture = Architecture()
    """Shape of the model."""
    optimiser: Optimiser = Optimiser(learning_rate=4e-3)
    """Optimiser."""
    label_smoothing: Share = 0.1
    """Share of the target distribution spread evenly over the vocabulary. It keeps the model from saturating,
    and a saturated model hides its provenance (docs/decisions/0005)."""
    sequence_tokens: PositiveInt = 64
    """Tokens per training sequence."""
    batch_sequences: PositiveInt = 16
    """Sequences per step."""
    max_steps: PositiveInt = 1600
    """Upper bound on optimiser steps."""
    warmup_steps: NonNegativeInt = 40
    """Steps of linear warm-up of the learning rate."""
    decay_steps: PositiveInt = 100
    """Steps of linear decay to zero, from when every benchmark has been learned, or at the end."""
    evaluate_every: PositiveInt = 32
    """Steps between evaluations of the benchmarks."""
    learned_accuracy: Share | None = 0.9
    """Accuracy that every benchmark has to reach at some evaluation before the learning rate decays; null: train for
    ``max_steps``. At a constant learning rate accuracies vary from step to step, so a benchmark that has reached it
    may be below it again, until the decay raises all of them."""
    required_accuracy: Share = 0.85
    """Accuracy of any benchmark below which the run ends with an error, unless ``learned_accuracy`` is null."""
    leave_out_sources: Sequence[str] = ()
    """Sources whose documents are not trained on."""
    checkpoints: Sequence[PositiveInt] = ()
    """Steps after which a checkpoint is kept, for the pipeline ``trajectory``."""

    @model_validator(mode="after")
    def _decay_fits(self) -> Pretraining:
        if self.decay_steps > self.max_steps:
            raise ValueError(f"decay_steps ({self.decay_steps}) exceeds max_steps ({self.max_steps}): lower it")
        return self
