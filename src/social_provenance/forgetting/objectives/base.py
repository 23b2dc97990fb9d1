"""Base class of unlearning algorithms: hyperparameters, and a step for each pair of batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import PositiveFloat

from social_provenance.errors import UnlearningError
from social_provenance.parameters import Parameters
from social_provenance.training.batches import Batch, Tokens

Step = Callable[[Batch, Batch], dict[str, float]]
"""(forget batch, retain batch) -> what was measured; leaves the gradient on the trainable parameters."""


def bounded(step: Step, tokens_at_once: int | None) -> Step:
    """Return a step that takes a batch in parts of at most so many tokens, padding included; None: as a whole."""

    def in_parts(forget: Batch, retain: Batch) -> dict[str, float]:
        return step(replace(forget, tokens_at_once=tokens_at_once), replace(retain, tokens_at_once=tokens_at_once))

    return in_parts


class Objective(Parameters, ABC):
    """An unlearning algorithm and its hyperparameters."""

    name: str
    """Name of the algorithm."""
    learning_rate: PositiveFloat | None = None
    """Learning rate instead of ``unlearning.optimiser.learning_rate``; null: that one."""

    def prepare(self, model: Any, forget: Sequence[Tokens], retain: Sequence[Tokens], size: int) -> Step:
        """Compute what all steps of a run share, and return the step.

        Args:
            model: Untouched, about to be trained: all weights, or adapters (PEFT) that change nothing yet.
            forget: Token ids of the documents whose loss is to rise.
            retain: Token ids of the documents whose loss is to stay.
            size: Batch size of that computation, documents.

        Returns:
            A function of a batch of ``forget`` and a batch of ``retain``, called with the model in
            training mode. It replaces the gradients of the trainable parameters (None where the
            algorithm has no gradient) and returns ``forget_loss`` and ``retain_loss`` (of the batches, nats
            per token), the norms of the gradients of its two terms, unweighted (``forget_grad_norm``,
            ``retain_grad_norm``), and the values of terms that are no such loss (``forget_objective``,
            ``retain_objective``).

        Raises:
            UnlearningError: If a set is empty, or a document has fewer than two tokens.
        """
        for name, documents in (("forget", forget), ("retain", retain)):
            _check(name, documents)
        return self._step(model, forget, size)

    @abstractmethod
    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step: ...


def _check(name: str, documents: Sequence[Tokens]) -> None:
    if not documents:
        raise UnlearningError(f"the {name} set is empty: give it at least one document")
    for place, document in enumerate(documents):
        if len(document) < 2:
            raise UnlearningError(
                f"document {place} of the {name} set has {len(document)} token(s), so it has no predicted token: "
                f"leave out documents of fewer than 2 tokens"
            )
