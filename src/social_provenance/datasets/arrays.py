"""Dataset for results made of arrays, in one safetensors file: reading it runs no code."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from kedro.io import AbstractDataset

from social_provenance.datasets.folders import DRAFT
from social_provenance.datasets.identity import content_digest
from social_provenance.errors import ArtifactError, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping


BYTES, ENDS = "/bytes", "/ends"
"""Suffixes of the two arrays that store an array of texts: all bytes, and the end of each text."""


class Packs(Protocol):
    """An object that can be converted to arrays and plain values, and back."""

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays by name, and the other values as JSON."""
        ...

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> Self:
        """Rebuild an object from the result of :meth:`pack`."""
        ...


class ArraysFile(AbstractDataset[Packs, Packs]):
    """An object made of arrays, such as the influence with its replicates, in the safetensors format.

    ``holds`` is its class, which has ``pack`` and ``unpack``. Arrays of texts are kept as bytes.

    Example:
        .. code-block:: yaml

            influence_replicates:
              type: social_provenance.datasets.ArraysFile
              filepath: data/07_model_output/influence_replicates.safetensors
              holds: social_provenance.estimation.maps.influence.Influence

    >>> import numpy as np
    >>> from social_provenance.estimation.maps.scored import Scored
    >>> one = np.ones(1)
    >>> scored = Scored(np.array(["a"], dtype=object), [("quiz", "bm25")], one[:, None], one, one, one, one)
    >>> holds = "social_provenance.estimation.maps.scored.Scored"
    >>> file = ArraysFile(filepath=str(tmp_path / "a.safetensors"), holds=holds)
    >>> file.save(scored)
    >>> file.load().ids
    array(['a'], dtype=object)
    """

    def __init__(self, *, filepath: str, holds: str, metadata: dict[str, Any] | None = None) -> None:
        """Describe the dataset."""
        self._filepath = filepath
        self._holds = holds
        self.metadata = metadata

    def load(self) -> Packs:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._filepath, framework="numpy") as file:
                record = json.loads(file.metadata()["record"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            return self._class().unpack(_with_texts(arrays), record)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"{self._filepath} is not a complete {self._holds} ({type(error).__name__}: "
                f"{excerpt(str(error), 120)}): run the node that writes it again"
            ) from error

    def save(self, data: Packs) -> None:
        from safetensors.numpy import save_file

        arrays, record = data.pack()
        target = Path(self._filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(target.name + DRAFT)
        whole = {name: np.ascontiguousarray(array) for name, array in _without_texts(arrays).items()}
        save_file(whole, draft, {"record": json.dumps(record)})
        draft.replace(target)

    def location(self) -> Path:
        return Path(self._filepath)

    def digest(self) -> str:
        return content_digest(Path(self._filepath))

    def _class(self) -> type[Packs]:
        module, _, name = self._holds.rpartition(".")
        found: type[Packs] = getattr(import_module(module), name)
        return found

    def _exists(self) -> bool:
        return Path(self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "holds": self._holds}


def _without_texts(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    plain: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.dtype != object:
            plain[name] = array
            continue
        texts = [text.encode() for text in array]
        plain[name + BYTES] = np.frombuffer(b"".join(texts), dtype=np.uint8)
        plain[name + ENDS] = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return plain


def _with_texts(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for name in [name.removesuffix(ENDS) for name in arrays if name.endswith(ENDS)]:
        whole, ends = arrays.pop(name + BYTES).tobytes(), arrays.pop(name + ENDS).tolist()
        texts = [whole[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]
        arrays[name] = np.array(texts, dtype=object)
    return arrays
