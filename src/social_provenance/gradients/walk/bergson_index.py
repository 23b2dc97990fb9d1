"""The files of a Bergson index, and the mean hidden states beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import AttributionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

INDEX, STATES = "index", "embeddings.npy"
STATES_OF_RANK, ROWS_OF_RANK = "states", "rows"
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


class StatesOfRank:
    """Mean hidden states that one process has computed, in a file of its own: no two processes write to one page.

    They come in the order in which rows are walked; :func:`join_states` brings them into that of the rows.
    """

    def __init__(self, folder: Path, rank: int, shape: tuple[int, int]) -> None:
        """Make the file.

        Args:
            folder: Folder of the shard.
            rank: Number of the process.
            shape: Rows of the process, and hidden size.
        """
        from numpy.lib.format import open_memmap

        self._rows: list[int] = []
        self._place = folder / f"{ROWS_OF_RANK}-{rank}.npy"
        self._states = (
            open_memmap(folder / f"{STATES_OF_RANK}-{rank}.npy", "w+", "float32", shape) if shape[0] else None
        )

    def add(self, rows: Sequence[int], states: np.ndarray) -> None:
        """Write the states of some rows, fp32, rows x hidden."""
        if self._states is not None:
            self._states[len(self._rows) : len(self._rows) + len(rows)] = states
        self._rows += rows

    def close(self) -> None:
        """Write what is left, and which rows they are."""
        if self._states is not None:
            self._states.flush()
        np.save(self._place, np.array(self._rows, dtype=np.int64))


def join_states(folder: Path, count: int) -> None:
    """Join the states of all processes to one file in the order of the rows, and remove theirs.

    Args:
        folder: Folder of the shard.
        count: Rows of the shard.

    Raises:
        AttributionError: If rows are missing: a process has written to another disk.
    """
    from numpy.lib.format import open_memmap

    found = {place: np.load(place) for place in sorted(folder.glob(f"{ROWS_OF_RANK}-*.npy"))}
    covered = np.unique(np.concatenate([*found.values(), np.zeros(0, dtype=np.int64)]))
    if len(covered) != count:
        raise AttributionError(
            f"{folder} has the hidden states of {len(covered)} of {count} rows: a process has written elsewhere; give "
            f"all nodes the same folder (--params root=DIR, on a disk that all of them see)"
        )
    whole = None
    for place, rows in found.items():
        part = place.with_name(place.name.replace(ROWS_OF_RANK, STATES_OF_RANK))
        if len(rows):
            states = np.load(part, mmap_mode="r")
            whole = open_memmap(folder / STATES, "w+", "float32", (count, states.shape[1])) if whole is None else whole
            whole[rows] = states
            part.unlink()
        place.unlink()
    if whole is not None:
        whole.flush()


def _type_of(name: str) -> np.dtype[Any]:
    """Return a type by its name; numpy itself does not know that of a model in bf16."""
    if name == "bfloat16":
        import ml_dtypes  # noqa: F401  # after which numpy knows it

    return np.dtype(name)
