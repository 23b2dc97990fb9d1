"""Reads projected gradients from disk, shard by shard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.artifacts import sealed_checksum, sealed_digest
from social_provenance.errors import AttributionError
from social_provenance.gradients.query_set import QuerySet
from social_provenance.gradients.walk.bergson_index import INDEX, STATES, index_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    import torch

ROWS, MOMENTS, STORE = "rows.parquet", "moments.safetensors", "store.json"
NUMBERS = f"{INDEX}/gradients.bin"


@dataclass(frozen=True)
class Chunk:
    """Some rows of a store.

    Attributes:
        rows: ``id``, ``tokens``, ``loss`` (nats, reduced as set), ``norm`` of each row; queries
            also have ``block``.
        gradients: Projected gradients, fp32, rows x dimensions.
    """

    rows: pd.DataFrame
    gradients: np.ndarray


@dataclass(frozen=True)
class GradientStore:
    """Shards of a store.

    Attributes:
        shards: Shard -> its folder.
    """

    shards: Mapping[str, Path]

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Model and settings of the gradients, and the dimensions of each module.

        Raises:
            AttributionError: If the store has no shard, or shards of different models or settings.
        """
        if not self.shards:
            raise AttributionError("the gradient store is empty: run the attribution pipeline from its start")
        found = {name: json.loads((folder / STORE).read_text()) for name, folder in self.shards.items()}
        first, *others = found
        for name in others:
            refuse_others(f"shard {first}", found[first], f"shard {name}", found[name])
        known: dict[str, Any] = found[first]
        return known

    @property
    def digest(self) -> dict[str, str | None]:
        """Shard -> identity of its content."""
        return {name: sealed_digest(folder) for name, folder in self.shards.items()}

    @property
    def modules(self) -> dict[str, slice]:
        """Module -> its columns."""
        modules, start = {}, 0
        for name, size in self.identity["modules"].items():
            modules[name] = slice(start, start + size)
            start += size
        return modules

    @property
    def width(self) -> int:
        """Dimensions of the projected gradient of a row."""
        return int(sum(self.identity["modules"].values()))

    def column(self, name: str) -> np.ndarray:
        """Return one column of all rows: ``tokens``, ``loss``, ``norm`` or ``block``."""
        import pandas as pd

        return np.concatenate(
            [pd.read_parquet(folder / ROWS, columns=[name])[name].to_numpy() for folder in self.shards.values()]
        )

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield the store in chunks of at most ``rows`` rows.

        Raises:
            AttributionError: If a shard has other bytes than when it was finished.
        """
        import pandas as pd

        for folder in self.shards.values():
            table = pd.read_parquet(folder / ROWS)
            for start, gradients in gradients_of(folder, rows, check=sealed_digest(folder) is not None):
                yield Chunk(table.iloc[start : start + len(gradients)].reset_index(drop=True), gradients)

    def states(self) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Yield rows and mean hidden states (rows x hidden, memory map) of each shard."""
        import pandas as pd

        for folder in self.shards.values():
            yield pd.read_parquet(folder / ROWS), np.load(folder / STATES, mmap_mode="r")

    def states_of(self, ids: np.ndarray) -> np.ndarray:
        """Return the mean hidden states of some rows by their ids, in that order, rows x hidden, fp32.

        Raises:
            AttributionError: Naming a row that is not in the store.
        """
        import pandas as pd

        wanted = pd.Index(ids)
        known, pieces = [], []
        for rows, states in self.states():
            selected = np.flatnonzero(rows["id"].isin(wanted))
            known += rows["id"].iloc[selected].tolist()
            pieces.append(np.asarray(states[selected], dtype=np.float32))
        positions = pd.Index(known).get_indexer(wanted)
        if (positions < 0).any():
            raise AttributionError(
                f"document {wanted[int(positions.argmin())]!r} is not in the gradient store: scores and store are of "
                f"different runs, run the attribution pipeline again"
            )
        ordered: np.ndarray = np.concatenate(pieces)[positions]
        return ordered

    def sums(self) -> dict[str, torch.Tensor]:
        """Return module -> sum over rows of the outer product of its gradient with itself."""
        from safetensors.torch import load_file

        total: dict[str, torch.Tensor] = {}
        for folder in self.shards.values():
            for name, matrix in load_file(folder / MOMENTS).items():
                total[name] = total[name] + matrix if name in total else matrix
        return total


def query_stores(parts: Mapping[str, Path]) -> dict[str, dict[str, GradientStore]]:
    """Return benchmark -> variant -> gradients of its queries.

    Args:
        parts: ``<benchmark>.<variant>`` -> folder.
    """
    stores: dict[str, dict[str, GradientStore]] = {}
    for name, folder in parts.items():
        queries = QuerySet.parse(name)
        stores.setdefault(queries.benchmark, {})[queries.variant] = GradientStore({name: folder})
    return stores


def gradients_of(folder: Path, rows: int, *, check: bool = False) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, gradients in fp32) of a shard in chunks, without mapping the file into memory.

    Args:
        folder: Folder of the shard.
        rows: Upper bound on the rows of a chunk.
        check: Compare the bytes that were read with the checksum of the seal.

    Raises:
        AttributionError: If they differ.
    """
    import xxhash

    sizes, kind = index_layout(folder)
    width, start, read = sum(sizes.values()), 0, xxhash.xxh3_128()
    with (folder / NUMBERS).open("rb") as stream:
        while len(numbers := np.fromfile(stream, dtype=kind, count=rows * width)):
            if check:
                read.update(numbers.data)
            whole = len(numbers) // width
            yield start, numbers[: whole * width].reshape(whole, width).astype(np.float32, copy=False)
            start += whole
    if check and read.hexdigest() != sealed_checksum(folder, NUMBERS):
        raise AttributionError(
            f"{folder / NUMBERS} is damaged: it has other bytes than when it was finished; run the node that makes "
            f"{folder.parent.name} again, which recomputes this shard and keeps the others"
        )


def refuse_others(one: str, first: Mapping[str, Any], other: str, second: Mapping[str, Any]) -> None:
    """Refuse to compare gradients of different models or settings.

    Raises:
        AttributionError: Naming the first setting in which they differ.
    """
    for key in first:
        if first[key] != second.get(key):
            shown = "modules" if key == "modules" else f"{key} ({first[key]} and {second.get(key)})"
            raise AttributionError(
                f"gradients of {one} and {other} differ in {shown}: they come from different models or settings; "
                f"run the attribution pipeline from its start"
            )
