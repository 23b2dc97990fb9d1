"""Objectives of two terms, ``gamma * forget + alpha * retain``, and the terms that several share.

The terms are differentiated one after the other: this costs what one backward pass over both costs,
keeps the graph of one batch at a time, and gives the norm of each gradient. A term is a mean over units of a batch, its
tokens or its documents, so it is differentiated in parts where a batch has more tokens than are taken at once.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import NonNegativeFloat

from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.reference import reference_of
from social_provenance.training.batches import document_losses, mean_loss
from social_provenance.training.head import LOGITS_AT_ONCE, chunk_of, hidden_states, in_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from social_provenance.training.batches import Batch, Tokens

RetainTerm = Literal["nll", "kl"]


@dataclass(frozen=True)
class Term:
    """A mean over units of a batch that is minimised.

    Attributes:
        value: Batch -> its value.
        units: Batch -> the number of units, by which its parts are weighted.
    """

    value: Callable[[Batch], Value]
    units: Callable[[Batch], int]

    def __call__(self, batch: Batch) -> Value:
        return self.value(batch)


@dataclass(frozen=True)
class Value:
    """A term on a batch.

    Attributes:
        loss: Mean loss of the batch, nats per token.
        objective: Value to minimise; None: the loss.
    """

    loss: torch.Tensor
    objective: torch.Tensor | None = None

    @property
    def minimised(self) -> torch.Tensor:
        """Value that is differentiated."""
        return self.loss if self.objective is None else self.objective

    def detached(self) -> Value:
        """Return the same without the graph of its computation."""
        return Value(self.loss.detach(), None if self.objective is None else self.objective.detach())


class TwoTerms(Objective):
    """Minimise ``gamma * L_forget + alpha * L_retain``."""

    gamma: NonNegativeFloat = 1.0
    """Weight of the forget term; at 0 a step is plain training on the retain term."""
    alpha: NonNegativeFloat = 1.0
    """Weight of the retain term; at 0 nothing is retained."""
    retain: RetainTerm = "kl"
    """``nll``: the mean loss of the retain batch. ``kl``: the divergence from the untouched model."""

    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step:
        retain = divergence(model) if self.retain == "kl" and self.alpha else likelihood(model)
        forget_term = self._forget_term(model, forget, size)
        return two_terms(model, trainable_parameters(model), (self.gamma, forget_term), (self.alpha, retain))

    @abstractmethod
    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term: ...


def trainable_parameters(model: Any) -> list[torch.nn.Parameter]:
    """Return the trainable parameters."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def gradient_norm(gradients: Sequence[torch.Tensor | None]) -> torch.Tensor:
    """Return the norm of a gradient over all parameters that have one."""
    import torch

    parts = [part.norm() for part in gradients if part is not None]
    return torch.stack(parts).norm() if parts else torch.zeros(())


def two_terms(
    model: Any,
    parameters: Sequence[torch.nn.Parameter],
    forget: tuple[float, Term],
    retain: tuple[float, Term],
) -> Step:
    """Return the step of a weighted sum of two terms.

    Args:
        model: Model of both terms.
        parameters: Parameters that get the gradient; the others of the model get none.
        forget: Weight and term of the forget batch.
        retain: Weight and term of the retain batch. A term of weight 0 is measured but not differentiated.
    """

    def step(forget_batch: Batch, retain_batch: Batch) -> dict[str, float]:
        for parameter in model.parameters():
            parameter.grad = None
        return _add(parameters, "forget", *forget, forget_batch) | _add(parameters, "retain", *retain, retain_batch)

    return step


def differentiate(
    parameters: Sequence[torch.nn.Parameter], term: Term, batch: Batch, *, gradients: bool = True
) -> tuple[Value, list[torch.Tensor | None]]:
    """Return a term on a batch and its gradient, the graph of one part of the batch in memory at a time.

    Args:
        parameters: Parameters that the gradient is taken of.
        term: Term.
        batch: Batch.
        gradients: Whether to differentiate; else no parameter has a gradient.

    Returns:
        Values without a graph, and the gradient of each parameter, None where the term has none.
    """
    import torch

    parts = batch.parts()
    values: list[Value] = []
    total: list[torch.Tensor | None] = [None] * len(parameters)
    units = [term.units(part) for part in parts]
    for part, count in zip(parts, units, strict=True):
        with torch.set_grad_enabled(gradients):
            value = term(part)
        if gradients:
            found = torch.autograd.grad(value.minimised, parameters, allow_unused=True)
            share = count / sum(units)
            total = [_plus(before, own, share) for before, own in zip(total, found, strict=True)]
        values.append(value.detached())
    return _mean(values, [predicted_tokens(part) for part in parts], units), total


def _plus(before: torch.Tensor | None, own: torch.Tensor | None, share: float) -> torch.Tensor | None:
    if own is None:
        return before
    weighted = own if share == 1 else own * share
    return weighted if before is None else before.add_(weighted)


def _mean(values: Sequence[Value], tokens: Sequence[int], units: Sequence[int]) -> Value:
    """Return the value of a batch from those of its parts."""
    import torch

    if len(values) == 1:
        return values[0]

    def mean(parts: Sequence[torch.Tensor], weights: Sequence[int]) -> torch.Tensor:
        return torch.stack([part * weight for part, weight in zip(parts, weights, strict=True)]).sum() / sum(weights)

    objectives = [value.objective for value in values if value.objective is not None]
    return Value(mean([value.loss for value in values], tokens), mean(objectives, units) if objectives else None)


def _add(
    parameters: Sequence[torch.nn.Parameter], name: str, weight: float, term: Term, batch: Batch
) -> dict[str, float]:
    """Add a term's weighted gradient to the parameters' and return what was measured."""
    value, gradients = differentiate(parameters, term, batch, gradients=weight != 0)
    measured = {f"{name}_loss": float(value.loss)}
    if value.objective is not None:
        measured[f"{name}_objective"] = float(value.objective)
    if weight == 0:
        return measured
    measured[f"{name}_grad_norm"] = float(gradient_norm(gradients))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            weighted = gradient * weight
            parameter.grad = weighted if parameter.grad is None else parameter.grad.add_(weighted)
    return measured


def predicted_tokens(batch: Batch) -> int:
    """Return the number of predicted tokens of a batch, over which its loss is a mean."""
    return sum(batch.predicted)


def likelihood(model: Any) -> Term:
    """Return the mean loss of a batch as a term."""
    return Term(lambda batch: Value(mean_loss(model, batch)), predicted_tokens)


def ascent(model: Any) -> Term:
    """Return minus the mean loss of a batch as a term."""

    def value(batch: Batch) -> Value:
        loss = mean_loss(model, batch)
        return Value(loss, -loss)

    return Term(value, predicted_tokens)


def divergence(model: Any, at_once: int = LOGITS_AT_ONCE) -> Term:
    """Return the mean of KL(untouched || model) over the predicted tokens of a batch, nats, as a term.

    Args:
        model: Model in training.
        at_once: Upper bound on the logits of each of the two that are in memory at once.
    """
    import torch
    from torch.nn import functional

    reference = reference_of(model)

    def value(batch: Batch) -> Value:
        positions = batch.positions(batch.predicted)
        with reference() as before:
            kept = hidden_states(before, batch, positions)
        present = hidden_states(model, batch, positions)

        def both(states: torch.Tensor, targets: torch.Tensor, untouched: torch.Tensor) -> torch.Tensor:
            with reference():  # with adapters both are one model
                expected = functional.log_softmax(kept.logits(untouched), dim=-1)
            found = functional.log_softmax(present.logits(states), dim=-1)
            apart = functional.kl_div(found, expected, reduction="none", log_target=True).sum(dim=-1)
            return torch.stack([functional.nll_loss(found, targets, reduction="none"), apart], dim=1)

        targets = batch.input_ids.flatten()[positions + 1]
        size = chunk_of(present.vocabulary, at_once)
        mean = in_chunks(both, present.states, targets, kept.states, size=size).mean(dim=0)
        return Value(mean[0], mean[1])

    return Term(value, predicted_tokens)


def preference(model: Any, beta: float, rise: Callable[[Batch, torch.Tensor, torch.Tensor], torch.Tensor]) -> Term:
    """Return ``-(2 / beta) log sigmoid(beta * rise)``, mean over the documents of a batch, as a term.

    Args:
        model: Model in training.
        beta: Inverse temperature.
        rise: Batch, loss of each document (nats), tokens predicted in each -> rise of each.
    """
    from torch.nn import functional

    def value(batch: Batch) -> Value:
        losses, counts = document_losses(model, batch)
        objective = -2 / beta * functional.logsigmoid(beta * rise(batch, losses, counts)).mean()
        return Value(losses.sum() / counts.sum(), objective)

    return Term(value, lambda batch: len(batch.rows))
