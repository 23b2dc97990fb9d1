"""The trained part of a model, all weights or adapters, and its checkpoint."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import empty_model
from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of_path
from social_provenance.training.loop import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from social_provenance.forgetting.settings import Lora

ORIGIN = "unlearning.json"
"""File beside the weights with their run and plan."""
BYTES = 4
"""Bytes of an fp32 value."""


@contextmanager
def trainable(model: Any, lora: Lora | None, *, checkpointing: bool = False) -> Iterator[Any]:
    """Provide a model with all weights trainable, or with adapters, which are taken off at the end.

    Args:
        model: The untouched model; below adapters it is so again afterwards.
        lora: Adapters; None: all weights are trained.
        checkpointing: Whether activations are computed again in the backward pass.

    Raises:
        UnlearningError: If no module of the model has the name of an adapter's target.
    """
    if checkpointing:
        model.config.use_cache = False  # a cache of keys and values cannot be computed again
        model.activation_checkpointing_enable({"use_reentrant": False})
    made = make_trainable(model, lora)
    try:
        yield made
    finally:
        if made is not model:
            made.unload()


def make_trainable(model: Any, lora: Lora | None) -> Any:
    """Return the model with all weights trainable, or with adapters, drawn from one seed for all runs.

    Raises:
        UnlearningError: If no module of the model has the name of an adapter's target.
    """
    if lora is None:
        return model
    from peft import LoraConfig, get_peft_model

    check_targets(model, lora)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    with seeded(0):
        return get_peft_model(model, config)


def check_targets(model: Any, lora: Lora) -> None:
    """Check that every target of an adapter is a module of the model.

    Raises:
        UnlearningError: Naming the target that no module has.
    """
    names = {name for name, _ in _adaptable(model)}
    unknown = [target for target in lora.targets if target not in names]
    if unknown:
        raise UnlearningError(
            f"unlearning.lora.targets: the model has no module {unknown[0]!r} that takes an adapter: "
            f"name some of {', '.join(sorted(names))}"
        )


def checkpoint_bytes(config: Any, lora: Lora | None) -> int:
    """Return the size of a checkpoint on disk, bytes, from the model's configuration.

    Raises:
        UnlearningError: If no module of the model has the name of an adapter's target.
    """
    empty = empty_model(config)
    if lora is None:
        return BYTES * sum(int(parameter.numel()) for parameter in empty.parameters())
    check_targets(empty, lora)
    return BYTES * lora.rank * sum(sum(shape) for name, shape in _adaptable(empty) if name in lora.targets)


def save_checkpoint(model: Any, folder: Path, origin: Mapping[str, Any]) -> str:
    """Write the trained weights as safetensors with their origin; return the digest of both.

    Adapters are loaded with the folder of their model: they do not name it, because it may move.
    """
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = None
    model.save_pretrained(folder)
    (folder / ORIGIN).write_text(json.dumps(dict(origin), indent=1))
    return digest_of_path(folder)


def _adaptable(model: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return the last part of the name and the shape of every weight matrix, which can take an adapter."""
    weights = [(name, getattr(module, "weight", None)) for name, module in model.named_modules()]
    return [
        (name.rpartition(".")[2], tuple(weight.shape))
        for name, weight in weights
        if weight is not None and weight.ndim == 2
    ]
