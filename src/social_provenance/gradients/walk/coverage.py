"""Parameters that gradients cover, from the model's configuration alone, before any weight is loaded."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import empty_model
from social_provenance.errors import AttributionError, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from social_provenance.language_model import LanguageModel

logger = logging.getLogger(__name__)

NAMED = 3
"""Number of layers that a message names before it counts the rest."""


@dataclass(frozen=True)
class Coverage:
    """The parameters of a causal language model, and those that gradients are taken of.

    Attributes:
        modules: Covered module -> (outputs, inputs), named below the model's body, as an index does.
        covered: Parameters in their weight matrices; Bergson leaves biases out.
        parameters: Parameters of the whole model, tied ones counted once.
        fused_experts: Layers that hold all their experts in 3-dimensional parameters, as transformers
            5 stores mixtures of experts -> their parameters; named in the whole model, as the globs of
            ``gradients.moe_experts`` are matched.
        separable: Those of them whose experts Bergson can split.
    """

    modules: dict[str, tuple[int, int]]
    covered: int
    parameters: int
    fused_experts: dict[str, int]
    separable: frozenset[str]

    def dimensions(self, projection_dim: int) -> int:
        """Return the dimensions of a projected gradient, for the side of that of a module."""
        return len(self.modules) * projection_dim**2


def inspect(config: Any, moe_experts: str = "") -> Coverage:
    """Return the coverage of a model; needs no weights and no memory for them.

    Args:
        config: The model's transformers configuration.
        moe_experts: Globs, separated by commas, of layers whose fused experts are split; their
            experts then count as modules.

    Raises:
        AttributionError: If the globs match nothing, or a layer whose experts cannot be split.
    """
    model = _empty_model(config)
    body = model.base_model
    names = {module: name for name, module in model.named_modules()}
    apart = _taken_apart(names, moe_experts)
    modules: dict[str, tuple[int, int]] = {}
    covered = 0
    fused_experts, separable = {}, set()
    for below, module in body.named_modules():
        name = names[module]
        shape = _shape(module)
        if shape is not None:
            modules[below] = shape
            covered += module.weight.numel()
        elif fused := _fused(module):
            fused_experts[name] = fused
            if _projections(module):
                separable.add(name)
            if name in apart:
                modules |= _experts(below, module)
                covered += fused
    total = sum(weight.numel() for weight in model.parameters())
    return Coverage(modules, covered, total, fused_experts, frozenset(separable))


def refuse_too_wide(coverage: Coverage, projection_dim: int) -> None:
    """Refuse modules that are smaller than their projection.

    Args:
        coverage: Coverage of the model.
        projection_dim: Side of the projected gradient of a module.

    Raises:
        AttributionError: Naming the first module with fewer outputs or inputs.
    """
    for name, (outputs, inputs) in coverage.modules.items():
        if min(outputs, inputs) < projection_dim:
            most = min(min(shape) for shape in coverage.modules.values())
            raise AttributionError(
                f"module {name!r} has {outputs} outputs and {inputs} inputs, gradients.projection_dim is "
                f"{projection_dim}: lower gradients.projection_dim to at most {most}"
            )


def refuse_flat(model: LanguageModel, coverage: Coverage) -> None:
    """Refuse an architecture in which Bergson cannot tell the sequences of a batch apart.

    It needs every covered module to be called with an input of the shape (sequences, tokens, features). Found by a
    pass over two tokens without weights; an architecture that has no such pass is let through.

    Args:
        model: The model.
        coverage: Its coverage.

    Raises:
        AttributionError: Naming the model, the first such module and the fix.
    """
    import torch

    config = model.config()
    empty = _empty_model(config).eval()
    shapes: dict[str, int] = {}

    def watch(name: str) -> Any:
        def note(module: Any, inputs: tuple[Any, ...]) -> None:
            del module
            shapes[name] = inputs[0].ndim

        return note

    known = [(name, module) for name, module in empty.base_model.named_modules() if name in coverage.modules]
    for name, module in known:
        module.register_forward_pre_hook(watch(name))
    complete = True
    try:
        with torch.no_grad():
            empty(input_ids=torch.zeros((1, 2), dtype=torch.long, device="meta"))
    except Exception as error:
        # Some architectures route by values, which tensors without memory do not have.
        logger.debug("no pass over %s without weights: %s", model.path, error)
        complete = False
    for name, _ in known:
        if shapes.get(name, 3 if not complete else 0) != 3:
            how = "the tokens of all sequences as one list" if name in shapes else "no input"
            raise AttributionError(
                f"model {model.path} ({type(config).__name__}) gives module {name!r} {how}, so Bergson cannot take the "
                f"gradient of each sequence there: give a model of a tested architecture (docs/how_to/own_model.md)"
            )


@contextlib.contextmanager
def named_errors(model: str) -> Iterator[None]:
    """Name the model where Bergson stumbles over its architecture.

    Args:
        model: Name or folder of the model.

    Raises:
        AttributionError: In place of Bergson's error.
    """
    try:
        yield
    except (AssertionError, KeyError, AttributeError, TypeError) as error:
        raise AttributionError(
            f"Bergson cannot take the gradients of model {model} ({type(error).__name__}: {excerpt(str(error), 160)}): "
            f"give a model of a tested architecture (docs/how_to/own_model.md)"
        ) from error


def warn_of_experts(coverage: Coverage, moe_experts: str) -> None:
    """Log the share of parameters that is covered, and warn of fused experts that are not.

    Args:
        coverage: Coverage of the model, inspected with the same ``moe_experts``.
        moe_experts: Globs of layers whose fused experts are split.
    """
    every = coverage.parameters
    logger.info("gradients cover %.1f%% of %s parameters", 100 * coverage.covered / every, f"{every:,}")
    left = {name: count for name, count in coverage.fused_experts.items() if not _matches(name, moe_experts)}
    if left:
        logger.warning(
            "gradients leave out %.1f%% of all parameters, the fused experts of %s: %s",
            *(100 * sum(left.values()) / every, _some(left), _fix(coverage, left, moe_experts)),
        )


def _empty_model(config: Any) -> Any:
    try:
        return empty_model(config)
    except Exception as error:
        reason = excerpt(" ".join(str(error).split()), 160)
        raise AttributionError(
            f"no causal language model can be made of {type(config).__name__} ({type(error).__name__}: {reason}): fix "
            f"config.json of the model, or give another one with --params model=DIR"
        ) from error


def _shape(module: Any) -> tuple[int, int] | None:
    """Return outputs and inputs of a module of a kind that Bergson covers (its ``LayerAdapter``)."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    match module:
        case nn.Linear():
            return module.out_features, module.in_features
        case Conv1D():
            return module.nf, module.nx
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            return module.out_channels, module.in_channels
    return None


def _fused(module: Any) -> int:
    """Return the number of parameters in a module's own stacks of several matrices."""
    stacks = (weight for weight in module.parameters(recurse=False) if weight.ndim == 3 and min(weight.shape) > 1)
    return sum(weight.numel() for weight in stacks)


def _projections(module: Any) -> tuple[str, ...]:
    """Return the stacks of a module that Bergson can split: all, or none."""
    names = ("gate_up_proj" if hasattr(module, "gate_up_proj") else "up_proj", "down_proj")
    known = all(hasattr(module, name) for name in ("num_experts", "is_transposed"))
    stacked = all(getattr(getattr(module, name, None), "ndim", 0) == 3 for name in names)
    return names if known and stacked else ()


def _experts(below: str, module: Any) -> dict[str, tuple[int, int]]:
    """Return the modules that a layer's experts become."""
    experts = {}
    for number in range(int(module.num_experts)):
        for projection in _projections(module):
            rows, columns = getattr(module, projection).shape[1:]
            shape = (columns, rows) if module.is_transposed else (rows, columns)
            experts[f"{below}.expert_{number}.{projection}"] = shape
    return experts


def _taken_apart(names: dict[Any, str], moe_experts: str) -> set[str]:
    found = {name: module for module, name in names.items() if _matches(name, moe_experts)}
    fitting = [name for module, name in names.items() if _projections(module)]
    fix = f"set it to {_globs(fitting)!r}" if fitting else "leave it empty, no layer of this model can be taken apart"
    if moe_experts and not found:
        raise AttributionError(f"gradients.moe_experts {moe_experts!r} matches no layer: {fix}")
    for name, module in found.items():
        if not _projections(module):
            raise AttributionError(
                f"gradients.moe_experts {moe_experts!r} matches {name!r} ({type(module).__name__}), whose experts "
                f"cannot be taken apart: {fix}"
            )
    return set(found)


def _matches(name: str, globs: str) -> bool:
    return bool(globs) and any(fnmatchcase(name, glob.strip()) for glob in globs.split(","))


def _globs(names: Iterable[str]) -> str:
    """Return globs that match layers of any number with these names."""
    return ",".join(dict.fromkeys(".".join("*" if part.isdigit() else part for part in n.split(".")) for n in names))


def _some(names: Iterable[str]) -> str:
    first, rest = list(names)[:NAMED], list(names)[NAMED:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def _fix(coverage: Coverage, left: Iterable[str], moe_experts: str) -> str:
    fitting = [name for name in left if name in coverage.separable]
    if not fitting:
        return "Bergson cannot take them apart"
    return f"set gradients.moe_experts to {','.join(filter(None, [moe_experts, _globs(fitting)]))!r}"
