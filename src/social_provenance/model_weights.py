"""Weights of a model beside its configuration: transformers draws at random what is missing, and only warns."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

NAMED = 3
"""Number of weights that a message names before it counts the rest."""


def empty_with(files: Sequence[Path], config: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return a model without memory for its weights, and how the tensors of files fit it, from their headers alone.

    transformers decides as it does when it loads the model: tied weights, buffers that are computed, experts that are
    stored apart and names of older versions fit.

    Args:
        files: The model's safetensors files.
        config: Its transformers configuration.

    Returns:
        The model, all on the meta device, and transformers' ``missing_keys``, ``unexpected_keys`` and
        ``mismatched_keys`` (name, shape in the file, shape in the model).
    """
    import torch
    from safetensors import safe_open
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    tensors = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 (it is no mapping)
                tensors[name] = torch.empty(opened.get_slice(name).get_shape(), device="meta")
    with _without_report():
        with torch.device("meta"):
            kind = type(AutoModelForCausalLM.from_config(config))
        model, found = kind.from_pretrained(
            None,
            config=config,
            state_dict=tensors,
            device_map="meta",
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    return model, found


def refuse_unlike(place: str, architecture: str, found: Mapping[str, Any]) -> None:
    """Check that a model has the weights of its architecture: all, in their shapes, and no others.

    Args:
        place: Folder of the model, or its name on the hub.
        architecture: Name of its class.
        found: What transformers reports of the weights.

    Raises:
        ModelError: With the first weights that are missing, of another shape, or unexpected.
    """
    refuse_missing(place, found["missing_keys"])
    if found["mismatched_keys"]:
        name, stored, asked = min(found["mismatched_keys"])
        more = f" (and {len(found['mismatched_keys']) - 1} more)" if len(found["mismatched_keys"]) > 1 else ""
        raise ModelError(
            f"{place} has weight {name!r} as {_shape(stored)} and its config.json asks for {_shape(asked)}{more}: give "
            f"it the config.json that the weights were saved with"
        )
    if found["unexpected_keys"]:
        raise ModelError(
            f"{place} has weights that {architecture}, the architecture of its config.json, has no place for: "
            f"{_some(found['unexpected_keys'])}; give it the config.json that the weights were saved with, or save the "
            f"model without them"
        )


def refuse_missing(place: str, weights: Collection[str]) -> None:
    """Check that no weight of a model was missing: transformers would initialise it at random, with a warning.

    Raises:
        ModelError: With the first missing weights.
    """
    if weights:
        raise ModelError(
            f"{place} has no weight {_some(weights)}, which would be drawn at random: give a complete model of the "
            f"requested architecture"
        )


def refuse_not_real(place: str, files: Sequence[Path], model: Any) -> None:
    """Check that the parameters of a model are stored as real numbers: transformers takes integers for values.

    Buffers, such as masks and positions, may be integers.

    Args:
        place: Folder of the model.
        files: Its safetensors files.
        model: Model of its configuration, also one without memory for its weights.

    Raises:
        ModelError: With the first parameter that is not.
    """
    from safetensors import safe_open

    needed = {name for name, _ in model.named_parameters()}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 (it is no mapping)
                kind = opened.get_slice(name).get_dtype()
                if kind.lstrip("B")[:1] != "F" and needed & {name, f"{model.base_model_prefix}.{name}"}:
                    raise ModelError(
                        f"{place} has weight {name!r} as {kind} and not as real numbers, so it is packed or quantised: "
                        f"give the model as it was trained, in F32, BF16 or F16"
                    )


def refuse_more_tokens(place: str, tokenizer: Any, model: Any) -> None:
    """Check that every token of a tokenizer has an embedding.

    Special tokens that were added to it may have none: a text has them only where somebody wrote their names, and
    published models leave such tokens without a row.

    Raises:
        ModelError: With the token of the largest id.
    """
    rows = int(model.get_input_embeddings().weight.shape[0])
    added = tokenizer.get_added_vocab()
    own = {number: token for token, number in tokenizer.get_vocab().items() if token not in added}
    if own and max(own) >= rows:
        raise ModelError(
            f"{place} has a tokenizer whose token {own[max(own)]!r} has the id {max(own)}, and its model has {rows} "
            f"embeddings: give it the tokenizer that the model was trained with"
        )


def refuse_not_finite(place: str, model: Any) -> None:
    """Check that all weights of a model are finite.

    Raises:
        ModelError: With the first weight that has NaN or infinite values, and their number.
    """
    import torch

    for name, weight in model.named_parameters():
        # The sum is not finite where a value is not: one pass without memory for an answer per value.
        if torch.isfinite(weight.detach().sum()):
            continue
        lost = int((~torch.isfinite(weight.detach())).sum())
        if lost:
            raise ModelError(
                f"{place} has weight {name!r} with {lost:,} of {weight.numel():,} values that are NaN or infinite: "
                f"fetch the model again, or save it again from a training that did not diverge"
            )


@contextmanager
def _without_report() -> Iterator[None]:
    """Keep transformers from printing its table of weights that do not fit, which an error names."""
    library = logging.getLogger("transformers")
    level = library.level
    library.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        library.setLevel(level)


def _some(names: Collection[str]) -> str:
    first = ", ".join(repr(name) for name in sorted(names)[:NAMED])
    return first + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(str(size) for size in sizes) or "a single value"
