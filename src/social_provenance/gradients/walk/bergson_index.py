"""The files of a Bergson index, and the mean hidden states beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

INDEX, STATES = "index", "embeddings.npy"
PRECISIONS = {"fp32": "float32", "fp16": "float16"}


def index_layout(folder: Path) -> tuple[dict[str, int], str]:
    """Return the dimensions of each module in column order, and the data type of an index."""
    info = json.loads((folder / INDEX / "info.json").read_text())
    return dict(info["grad_sizes"]), str(info["base_dtype"])


def index_losses(folder: Path) -> np.ndarray:
    """Return the loss of each row of an index, nats, reduced as set."""
    from datasets import load_from_disk

    return np.array(load_from_disk(str(folder / INDEX / "data.hf"))["loss"], dtype=np.float32)


def convert_index(folder: Path, kind: str, chunk: int) -> None:
    """Rewrite an index in another precision, ``chunk`` rows at a time, unless it has that one; Bergson reads all.

    Args:
        folder: Folder of the index.
        kind: ``fp32`` or ``fp16``.
        chunk: Rows in memory at a time.
    """
    wanted = np.dtype(PRECISIONS[kind])
    sizes, stored = index_layout(folder)
    if stored == wanted.name:
        return
    info, data = folder / INDEX / "info.json", folder / INDEX / "gradients.bin"
    draft = data.with_suffix(".converted")
    with data.open("rb") as source, draft.open("wb") as target:
        while len(piece := np.fromfile(source, dtype=_type_of(stored), count=chunk * sum(sizes.values()))):
            with np.errstate(over="ignore"):  # readers of the store refuse non-finite gradients
                target.write(piece.astype(wanted).tobytes())
    draft.replace(data)
    info.write_text(json.dumps({**json.loads(info.read_text()), "base_dtype": wanted.name}, indent=2))


def _type_of(name: str) -> np.dtype[Any]:
    """Return a type by its name; numpy itself does not know that of a model in bf16."""
    if name == "bfloat16":
        import ml_dtypes  # noqa: F401  # after which numpy knows it

    return np.dtype(name)
