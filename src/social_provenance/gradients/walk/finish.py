"""What a shard of the store gets once its gradients are there: norms, second moments, a description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.device_memory import compute_device
from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.bergson_index import (
    INDEX,
    STATES,
    convert_index,
    index_layout,
    index_losses,
)
from social_provenance.gradients.walk.store import MOMENTS, ROWS, STORE, gradients_of

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.walk.collect import Walk

CHUNK = 4096
"""Rows of a finished shard that are read at a time."""


def finish_shard(folder: Path, rows: Dataset, walk: Walk) -> None:
    """Read every gradient of a shard once, and write norms, second moments and what the store must have in common.

    Args:
        folder: Folder with the index and the states.
        rows: Rows of the shard.
        walk: Model and settings.

    Raises:
        AttributionError: If a gradient is not finite.
    """
    import pandas as pd

    convert_index(folder, walk.settings.store, CHUNK)
    ids = [str(name) for name in rows[walk.id_column]]
    norms = write_moments(folder, ids, walk.settings.store)
    table = {"id": ids, "tokens": rows["length"], "loss": index_losses(folder), "norm": norms}
    extra = {name: rows[name] for name in ("block", "choice") if name in rows.column_names}
    pd.DataFrame(table | extra).to_parquet(folder / ROWS)
    sizes, _ = index_layout(folder)
    (folder / STORE).write_text(json.dumps({**walk.identity(), "modules": sizes, "states": STATES, "index": INDEX}))


def write_moments(folder: Path, ids: list[str], store: str) -> np.ndarray:
    """Write the sums of outer products of an index, and return the norm of each of its gradients.

    Args:
        folder: Folder of the shard.
        ids: Name of each row.
        store: Precision on disk, for the fix that an error names.

    Raises:
        AttributionError: Naming the first row whose gradient is not finite.
    """
    import torch
    from safetensors.torch import save_file

    sizes, _ = index_layout(folder)
    norms, device = [], compute_device()
    sums = {name: torch.zeros(size, size, dtype=torch.float64, device=device) for name, size in sizes.items()}
    for start, piece in gradients_of(folder, CHUNK):
        norms.append(_norms(ids[start : start + len(piece)], piece, store))
        blocks = torch.split(torch.from_numpy(piece).to(device), list(sizes.values()), dim=1)
        for name, block in zip(sizes, blocks, strict=True):
            sums[name] += block.T @ block
    save_file({name: total.float().cpu() for name, total in sums.items()}, folder / MOMENTS)
    return np.concatenate(norms)


def _norms(ids: list[str], gradients: np.ndarray, store: str) -> np.ndarray:
    """Return the norm of each gradient.

    Raises:
        AttributionError: Naming the first row whose gradient is not finite, or so long that its second
            moment overflows.
    """
    norms = np.linalg.norm(gradients.astype(np.float64), axis=1)
    # Bergson clips an infinite gradient to the largest number of its type, whose square is infinite.
    broken = ~(norms**2 < np.finfo(np.float32).max)
    if broken.any():
        fix = "store fp32 numbers (gradients.store)" if store == "fp16" else "check the weights of the model"
        raise AttributionError(
            f"the gradient of {ids[int(np.argmax(broken))]!r} is not finite (and of {int(broken.sum()) - 1} more in "
            f"its shard): {fix}; finished shards stay"
        )
    return np.asarray(norms, dtype=np.float32)
