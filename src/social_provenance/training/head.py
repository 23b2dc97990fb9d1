"""The head of a causal model, applied to the predicted tokens of a batch in chunks.

Logits take a vocabulary of numbers per token, more than a layer keeps of it. Here those of a few hundred tokens
are in memory at once, computed again in the backward pass, and none of padding.
"""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch

    from social_provenance.training.batches import Batch, Tokens

LOGITS_AT_ONCE = 2**25
"""Upper bound on the logits of a chunk: 134 MB in fp32, 334 tokens of a vocabulary of 100,000."""


@dataclasses.dataclass(frozen=True)
class Hidden:
    """Last hidden states of some tokens.

    Attributes:
        states: Hidden states, shape (tokens, hidden).
        logits: Hidden states of any of them -> their logits in fp32, shape (tokens, vocabulary).
        vocabulary: Logits per token.
    """

    states: torch.Tensor
    logits: Callable[[torch.Tensor], torch.Tensor]
    vocabulary: int


def hidden_states(model: Any, batch: Batch, positions: torch.Tensor) -> Hidden:
    """Return the hidden states of a batch from which a model computes logits.

    Args:
        model: Causal model, with or without adapters (PEFT).
        batch: Batch.
        positions: Tokens that are kept, as indices of the flattened batch.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder = causal.get_decoder()
    output = decoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)

    def logits(states: torch.Tensor) -> torch.Tensor:
        # By the model's own code, because some scale or cap what their head returns.
        with _returning(decoder, dataclasses.replace(output, last_hidden_state=states[None])):
            found: torch.Tensor = causal().logits[0].float()
        return found

    states = output.last_hidden_state.flatten(0, 1)[positions]
    return Hidden(states, logits, causal.config.get_text_config().vocab_size)


@contextmanager
def _returning(module: Any, output: Any) -> Iterator[None]:
    """Let a module return an output, whatever it is called with."""
    own = module.__dict__.get("forward")
    module.forward = lambda *_, **__: output
    try:
        yield
    finally:
        del module.forward
        if own is not None:
            module.forward = own


def in_chunks(function: Callable[..., torch.Tensor], *tensors: torch.Tensor, size: int) -> torch.Tensor:
    """Return a function of rows, computed for ``size`` of them at a time and again in the backward pass.

    Args:
        function: Some rows of each tensor -> a value of each row.
        tensors: Tensors of as many rows.
        size: Rows of a chunk.
    """
    import torch
    from torch.utils.checkpoint import checkpoint

    chunks = list(zip(*(torch.split(tensor, size) for tensor in tensors), strict=True))
    if len(chunks) == 1 or not torch.is_grad_enabled():
        return torch.cat([function(*chunk) for chunk in chunks])
    return torch.cat([checkpoint(function, *chunk, use_reentrant=False) for chunk in chunks])


def chunk_of(vocabulary: int, at_once: int = LOGITS_AT_ONCE) -> int:
    """Return the tokens of a chunk, from the logits per token and the bound on all."""
    return max(1, at_once // vocabulary)


def token_losses(model: Any, batch: Batch, at_once: int = LOGITS_AT_ONCE) -> torch.Tensor:
    """Return the cross-entropy of each predicted token of a batch, nats.

    Args:
        model: Causal model.
        batch: Batch.
        at_once: Upper bound on the logits that are in memory at once; at least those of one token are.

    Returns:
        Losses, shape (documents, tokens - 1), 0 on padding.
    """
    positions = batch.positions(batch.predicted)
    found = _losses(model, batch, positions, batch.input_ids.flatten()[positions + 1], at_once)
    documents, width = batch.input_ids.shape
    spread = found.new_zeros(documents * width).index_copy(0, positions, found)
    return spread.view(documents, width)[:, :-1]


def completion_losses(
    model: Any, batch: Batch, completions: Sequence[tuple[int, Tokens]], at_once: int = LOGITS_AT_ONCE
) -> torch.Tensor:
    """Return the cross-entropy of each completion, nats, shape (completions,).

    Args:
        model: Causal model.
        batch: Each row is a prompt and a completion without its last token.
        completions: Row of each completion, and its tokens; several can end one row.
        at_once: Upper bound on the logits that are in memory at once.
    """
    import torch

    width = batch.input_ids.shape[1]
    ends = [row * width + batch.lengths[row] for row, _ in completions]
    places = [np.arange(end - len(tokens), end) for end, (_, tokens) in zip(ends, completions, strict=True)]
    positions, targets = (
        torch.tensor(np.concatenate(parts), device=batch.input_ids.device)
        for parts in (places, [tokens for _, tokens in completions])
    )
    found = _losses(model, batch, positions, targets, at_once)
    return torch.stack([part.sum() for part in torch.split(found, [len(tokens) for _, tokens in completions])])


def _losses(model: Any, batch: Batch, positions: torch.Tensor, targets: torch.Tensor, at_once: int) -> torch.Tensor:
    """Return the cross-entropy of a target at each position of the flattened batch, shape (positions,)."""
    from torch.nn import functional

    hidden = hidden_states(model, batch, positions)

    def losses(states: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(hidden.logits(states), own, reduction="none")

    return in_chunks(losses, hidden.states, targets, size=chunk_of(hidden.vocabulary, at_once))
