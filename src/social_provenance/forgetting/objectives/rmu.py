"""Representation misdirection for unlearning (Li et al. 2024, arXiv 2403.03218).

With ``h`` the activations that leave one layer, and ``h_ref`` those of the untouched model, a step minimises

    mean |h(forget) - coefficient * u|^2  +  alpha * mean |h(retain) - h_ref(retain)|^2

over real tokens, squared norms summed over the hidden units. ``u`` is a unit vector, drawn once with entries uniform in
[0, 1) before it is normalised. Layers above get no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.base import Objective, Step
from social_provenance.forgetting.objectives.reference import reference_of
from social_provenance.forgetting.objectives.terms import Term, Value, trainable_parameters, two_terms
from social_provenance.training.batches import mean_loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from social_provenance.training.batches import Batch, Tokens


class RMU(Objective):
    """Steer a layer's activations on the forget set to a random direction, and hold those on the retain set."""

    name: Literal["rmu"] = "rmu"
    """Name in the parameters."""
    layer: NonNegativeInt | None = None
    """Steered layer, counted from 0; null: the middle one."""
    coefficient: NonNegativeFloat = 20.0
    """Norm of the target: about that of the layer's activations, or more. The paper has 6.5 for Zephyr 7B."""
    alpha: NonNegativeFloat = 10.0
    """Weight of the retain term. The paper has 1200 for Zephyr 7B, with which a small model does not change."""
    trained_layers: Annotated[Sequence[NonNegativeInt], Field(min_length=1)] | None = None
    """Layers whose parameters are moved, none above ``layer``; null: all trainable parameters up to it."""
    seed: int = 0
    """Seed of the direction."""

    def _step(self, model: Any, forget: Sequence[Tokens], size: int) -> Step:
        del forget, size  # what is compared with the untouched model is not the forget set
        blocks = _blocks(model)
        layer = (len(blocks) - 1) // 2 if self.layer is None else self.layer
        self._check(layer, len(blocks))
        reference = reference_of(model)
        parameters = _within(trainable_parameters(model), blocks, self.trained_layers)
        target = self.coefficient * direction(model.config.hidden_size, self.seed).to(model.device)

        def steer(batch: Batch) -> Value:
            present, loss = activations(model, layer, batch)
            return Value(loss, _distance(present, target))

        def hold(batch: Batch) -> Value:
            with reference() as before:
                kept, _ = activations(before, layer, batch)
            present, loss = activations(model, layer, batch)
            return Value(loss, _distance(present, kept))

        return two_terms(model, parameters, (1.0, Term(steer, _tokens)), (self.alpha, Term(hold, _tokens)))

    def _check(self, layer: int, count: int) -> None:
        if layer >= count:
            raise UnlearningError(f"rmu: layer is {layer} and the model has {count} layer(s): give 0 to {count - 1}")
        above = [trained for trained in self.trained_layers or () if trained > layer]
        if above:
            raise UnlearningError(
                f"rmu: trained_layers has {above[0]}, above the steered layer {layer}, so it would never move: "
                f"give layers up to {layer}"
            )


def direction(size: int, seed: int) -> torch.Tensor:
    """Return a random unit vector; its entries are positive."""
    import torch

    entries = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    unit: torch.Tensor = entries / entries.norm()
    return unit


def activations(model: Any, layer: int, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the output of a layer at the real tokens of a batch, shape (tokens, hidden), and the mean loss."""
    with _listening(_blocks(model)[layer]) as heard:
        loss = mean_loss(model, batch)
    return heard[0].flatten(0, 1)[batch.positions(batch.lengths)].float(), loss


@contextmanager
def _listening(module: Any) -> Iterator[list[torch.Tensor]]:
    heard: list[torch.Tensor] = []
    hook = module.register_forward_hook(
        lambda _module, _inputs, output: heard.append(output[0] if isinstance(output, tuple) else output)
    )
    try:
        yield heard
    finally:
        hook.remove()


def _tokens(batch: Batch) -> int:
    return sum(batch.lengths)


def _distance(present: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (present - target).square().sum(dim=-1).mean()


def _blocks(model: Any) -> Any:
    """Return the model's list of layers."""
    import torch

    count = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return module
    raise UnlearningError(
        f"rmu: a {model.config.model_type} model has no list of {count} layers: choose another algorithm"
    )


def _within(
    parameters: list[torch.nn.Parameter], blocks: Any, layers: Sequence[int] | None
) -> list[torch.nn.Parameter]:
    if layers is None:
        return parameters
    inside = {id(parameter) for layer in layers for parameter in blocks[layer].parameters()}
    chosen = [parameter for parameter in parameters if id(parameter) in inside]
    if not chosen:
        raise UnlearningError(f"rmu: nothing in trained_layers {list(layers)} is trainable: give layers with adapters")
    return chosen
