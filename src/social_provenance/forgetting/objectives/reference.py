"""The untouched model, which some algorithms compare with."""

from __future__ import annotations

import copy
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from social_provenance.training.batches import document_losses, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import torch

    from social_provenance.training.batches import Tokens

    Reference = Callable[[], AbstractContextManager[Any]]
    """Opens a block with the untouched model: evaluation mode, no gradients."""


def reference_of(model: Any) -> Reference:
    """Return access to the present weights of a model, which training does not change.

    A PEFT model has them in itself, below its adapters; of any other a copy is made.
    """
    kept = model if _has_adapters(model) else copy.deepcopy(model)
    return lambda: untouched(kept)


@contextmanager
def untouched(model: Any) -> Iterator[Any]:
    """Turn adapters, dropout and gradients off inside the block, and leave the model as it was."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad(), model.disable_adapter() if _has_adapters(model) else nullcontext():
            yield model
    finally:
        model.train(training)


def reference_losses(model: Any, documents: Sequence[Tokens], size: int) -> torch.Tensor:
    """Return the loss of each document under the untouched model, nats, shape (documents,); in batches of ``size``."""
    import torch

    with untouched(model):
        parts = [
            document_losses(model, take(documents, range(start, min(start + size, len(documents))), model.device))[0]
            for start in range(0, len(documents), size)
        ]
    return torch.cat(parts)


def _has_adapters(model: Any) -> bool:
    return hasattr(model, "disable_adapter")
