"""Files of a model folder: which it has, and that each is whole; reads no weight and runs no code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ModelError, excerpt

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
SAFETENSORS, PICKLES = "*.safetensors", ("*.bin", "*.pt", "*.pth", "*.ckpt")
ADAPTER = "adapter_config.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")
GGUF = ".gguf"
LINKED = (".json", ".safetensors", ".model", ".txt")
"""Suffixes of the files that transformers reads."""


def check_folder(folder: Path, *, tokenizer: bool = True) -> None:
    """Check that a folder is a complete model that can be loaded without running code; reads no weight.

    Args:
        folder: Folder of the model.
        tokenizer: Whether it needs a tokenizer; checkpoints have none.

    Raises:
        ModelError: With the file, what is wrong with it, and the fix.
    """
    _check_links(folder)
    adapter = (folder / ADAPTER).exists()
    if not (folder / "config.json").exists():
        what = (
            "an adapter: merge it into its model (peft, merge_and_unload)"
            if adapter
            else "not a model folder: name one that save_pretrained has written"
        )
        raise ModelError(f"{folder} has no config.json: it is {what}")
    if adapter:
        raise ModelError(
            f"{folder} has {ADAPTER} beside the model, and the adapter would be loaded on top of it: merge the two "
            f"(peft, merge_and_unload), or move the adapter_* files out of the folder"
        )
    _check_config(folder / "config.json")
    if not (folder / WEIGHTS).exists() and not (folder / WEIGHTS_INDEX).exists():
        pickles = [file.name for pattern in PICKLES for file in sorted(folder.glob(pattern))]
        if pickles:
            raise ModelError(
                f"{folder} has its weights as pickles only ({pickles[0]}), which can run code and are not read: "
                f"convert them to safetensors (load them where you trust them, save_pretrained)"
            )
        raise ModelError(f"{folder} has no weights ({WEIGHTS}): fetch the model again, or save it again")
    for file in weight_files(folder):
        _check_weights(file)
    if tokenizer and not any((folder / name).exists() for name in TOKENIZER_FILES):
        raise ModelError(f"{folder} has no tokenizer ({', '.join(TOKENIZER_FILES[:3])}): save it beside the weights")


def _check_links(folder: Path) -> None:
    """Check that no file that a model may need is a link whose target was not copied with it, as in a hub's cache."""
    for file in sorted(folder.iterdir()):
        if file.suffix in LINKED and file.is_symlink() and not file.exists():
            raise ModelError(
                f"{file} is a link to {file.readlink()}, where nothing is: fetch the model again, or copy it with what "
                f"its links lead to (cp -rL)"
            )


def _check_config(file: Path) -> None:
    config = _read_object(file)
    if not isinstance(config.get("model_type"), str):
        raise ModelError(
            f"{file} names no model_type ({excerpt(config)}), so the architecture is unknown: save the model's "
            f"configuration again (save_pretrained)"
        )


def weight_files(folder: Path) -> list[Path]:
    """Return the files that transformers takes weights from."""
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).exists() or not index.exists():
        return [file for file in (folder / WEIGHTS,) if file.exists()]
    places = _read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ModelError(f"{index} has no weight_map of weights to files: fetch it again")
    return [folder / name for name in sorted(set(places.values()))]


def _check_weights(file: Path) -> None:
    """Check the header of a safetensors file, and that the file is as long as it says."""
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        raise ModelError(f"{file} is missing, which {WEIGHTS_INDEX} names: fetch it again")
    try:
        with safe_open(file, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        size = file.stat().st_size
        raise ModelError(
            f"{file} is damaged ({error}; it has {size:,} bytes): fetch it again, or save the model again"
        ) from error


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{file} is not JSON ({error}): fetch it again, or save the model again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} is not a JSON object ({excerpt(content)}): fetch it again, or save the model again")
    return content


def is_packed(place: Path) -> bool:
    """Return whether a place is a GGUF file, or a folder that has one and no other weights."""
    if place.is_file():
        return place.suffix == GGUF
    others = (SAFETENSORS, "pytorch_model*.bin")
    return any(place.glob(f"*{GGUF}")) and not any(any(place.glob(pattern)) for pattern in others)
