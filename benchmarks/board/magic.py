"""MAGIC: the derivative of a benchmark's loss by the weight of each document, exact through all of training.

Ilyas & Engstrom 2025 (arXiv 2504.16430), through Bergson's trainer. Bergson would train a model of its own, on batches
of its own; here its trainer takes the steps of our training (order, AdamW, schedule, clipping), from states of that
training itself, so the trajectory that is differentiated is that of the model that is judged. Its ``Trainer.backward``
would walk back once for each benchmark; here all benchmarks share a step's graph.

A document's weight multiplies the loss of its tokens. At 0 it is left out as in a retraining, except that a retraining
also hides its tokens from neighbours in the same sequence.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import ProvenanceError
from social_provenance.gradients.walk.bergson_run import import_bergson, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from board.replay import Moment, Replay

logger = logging.getLogger(__name__)

EPS_ROOT = 1e-20
"""Added to AdamW's second moment: the root has no derivative at 0, where a token has not been seen. It is far below the
square of AdamW's own epsilon, 1e-16, so no step changes."""


ALL, DECAY = SPANS = ("all", "decay")
"""Steps through which is differentiated: all of the training, or those in which its learning rate decays."""


def score_magic(replay: Replay, span: str) -> dict[str, np.ndarray]:
    """Return benchmark -> the fall of its items' mean loss per unit of each document's weight, nats.

    Positive where a document supports the benchmark; the sum over documents predicts the damage of leaving them out.

    Args:
        replay: The training.
        span: ``all``, or ``decay``: weights count in the last ``decay_steps`` only.

    Raises:
        ProvenanceError: If a derivative is not finite.
    """
    chunk = math.isqrt(replay.steps)
    first = 0 if span == ALL else replay.steps - replay.settings.decay_steps
    moments = replay.record({*range(first, replay.steps, chunk), replay.steps})
    final = moments.pop(replay.steps)
    with quiet():
        steps = Steps.of(replay)
    names = list(replay.items["benchmark"].unique())
    cotangents = [steps.outcome(final, replay.items[replay.items["benchmark"] == name]) for name in names]
    for start in sorted(moments, reverse=True):
        cotangents = steps.backward(moments[start], min(start + chunk, replay.steps), cotangents)
        norm = float(sum(part.square().sum() for part in cotangents[0].state[: len(steps.start.params)])) ** 0.5
        logger.info("magic: differentiated steps %d to %d, norm %.3g", start + 1, replay.steps, norm)
    scores = {name: -own.weights.double().numpy() for name, own in zip(names, cotangents, strict=True)}
    for name, own in scores.items():
        if not np.isfinite(own).all():
            raise ProvenanceError(
                f"magic: the derivative of {name} through {replay.steps - first} steps is not finite: give "
                f"--magic decay"
            )
    return scores


@dataclass(frozen=True)
class Cotangent:
    """Derivatives of an outcome.

    Attributes:
        state: By the weights and AdamW's moments after some step.
        weights: By the weights of documents in all later steps, shape (documents,).
    """

    state: Sequence[torch.Tensor]
    weights: torch.Tensor


@dataclass(frozen=True)
class Steps:
    """Steps of a training as differentiable functions of its state and the weights of documents.

    Attributes:
        trainer: Bergson's ``Trainer``.
        start: Its ``TrainerState`` before any step.
        batches: Tokens and owners of each step.
        weights: Weight of each document, 1.
        clip: Upper bound on the norm of a gradient.
    """

    trainer: Any
    start: Any
    batches: Sequence[tuple[torch.Tensor, torch.Tensor]]
    weights: torch.Tensor
    clip: float

    @classmethod
    def of(cls, replay: Replay) -> Steps:
        """Return the steps of a training."""
        import_bergson()
        import torch
        import torchopt
        from bergson.magic.trainer import Trainer

        model = replay.new_model()
        model.set_attn_implementation("eager")  # the others have no second derivative
        settings = replay.settings.optimiser
        optimiser = torchopt.adamw(
            lambda taken: replay.rate(int(taken) + 1),
            betas=(0.9, settings.beta2),
            eps=1e-8,
            eps_root=EPS_ROOT,
            weight_decay=settings.weight_decay,
        )
        trainer, start = Trainer.initialize(_weighted(model, replay.settings.label_smoothing), optimiser)
        weights = torch.ones(len(replay.tokens), requires_grad=True)
        return cls(trainer, start, list(replay.batches()), weights, settings.clip)

    def state(self, moment: Moment) -> Any:
        """Return a moment as Bergson's ``TrainerState``."""
        import torch
        from bergson.magic.trainer import TrainerState
        from torchopt.pytree import tree_leaves

        def of_weights(own: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {name: own[name.removeprefix("model.")].clone() for name in self.start.params}

        adam, decay, schedule = self.start.opt_state
        taken = [torch.full_like(count, moment.step) for count in adam.count]
        moments = {"mu": of_weights(moment.first), "nu": of_weights(moment.second)}
        adam = adam._replace(count=taken, **{name: tree_leaves(own) for name, own in moments.items()})
        opt_state = (adam, decay, schedule._replace(count=list(taken)))
        return TrainerState(of_weights(moment.params), opt_state, self.start.buffers, moment.step)

    def step(self, state: Any, *, trace: bool = False) -> Any:
        """Return the state after the next step; ``trace`` keeps what its derivative needs."""
        import torch

        tokens, owners = self.batches[state.batch_index]
        with torch.set_grad_enabled(trace):
            weights = self.weights[owners]
        inputs = {"input_ids": tokens, "example_weight": weights}
        return self.trainer.step(state, inputs, trace=trace, max_grad_norm=self.clip)

    def outcome(self, final: Moment, items: Any) -> Cotangent:
        """Return the derivatives of the items' mean loss, nats, by the state at the end."""
        import torch
        from torch.nn.functional import cross_entropy

        state = self.state(final)
        state.requires_grad = True
        inputs = state.differentiable_tensors()
        total = torch.zeros(())
        with state.activate(self.trainer.model) as params:
            for prompt, answer in zip(items["prompt_ids"], items["answer_ids"], strict=True):
                tokens = torch.tensor([[*prompt, *answer]])
                logits = self.trainer.model.model(tokens).logits[0, len(prompt) - 1 : -1]
                total = total + cross_entropy(logits, tokens[0, len(prompt) :], reduction="sum")
            found = torch.autograd.grad(total / len(items), list(params.values()))
        moments = [torch.zeros_like(own) for own in inputs[len(found) :]]
        return Cotangent([*found, *moments], torch.zeros(len(self.weights)))

    def backward(self, moment: Moment, end: int, cotangents: Sequence[Cotangent]) -> list[Cotangent]:
        """Return the derivatives of outcomes by the state at a moment, from those by the state after step ``end``."""
        states = [self.state(moment)]
        while states[-1].batch_index < end - 1:
            states.append(self.step(states[-1]).detach_())
        found = list(cotangents)
        for state in reversed(states):
            state.requires_grad = True
            before = [*state.differentiable_tensors(), self.weights]
            after = self.step(state, trace=True).differentiable_tensors()
            found = [_pull(after, before, own) for own in found]
        return found


def _pull(after: Sequence[torch.Tensor], before: Sequence[torch.Tensor], own: Cotangent) -> Cotangent:
    import torch

    *state, weights = torch.autograd.grad(after, before, own.state, retain_graph=True)
    return Cotangent(state, own.weights + weights)


def _weighted(model: Any, smoothing: float) -> Any:
    """Return the model as a module whose output is the loss of a training step, with a weight for each token."""
    import torch
    from torch.nn.functional import cross_entropy

    class Weighted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, example_weight: torch.Tensor) -> torch.Tensor:
            logits, targets = self.model(input_ids).logits[:, :-1].flatten(0, 1), input_ids[:, 1:].flatten()
            losses = cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
            return (losses * example_weight[:, 1:].flatten()).mean()

    return Weighted()
