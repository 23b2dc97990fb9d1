"""Gradients on disk, part by part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Part
from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.gradients.bergson_run import build_index, read_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from datasets import Dataset

    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.language_model import LanguageModel


@dataclass(frozen=True)
class Chunk:
    """Some rows of a store.

    Attributes:
        ids: Id of each row.
        losses: Loss of each row, nats.
        gradients: fp32, rows x numbers.
    """

    ids: list[str]
    losses: np.ndarray
    gradients: np.ndarray


@dataclass(frozen=True)
class GradientStore:
    """Parts of a store, each a Bergson index whose rows bear an id.

    Attributes:
        parts: Part name -> its folder.
        id_column: Column of the ids.
    """

    parts: Mapping[str, Path]
    id_column: str

    @property
    def modules(self) -> dict[str, slice]:
        """Module -> its columns.

        Raises:
            AttributionError: If there is no part.
        """
        if not self.parts:
            raise AttributionError("the gradient store is empty: run the attribution pipeline from its start")
        _, sizes, _ = read_index(next(iter(self.parts.values())))
        modules, start = {}, 0
        for name, size in sizes.items():
            modules[name] = slice(start, start + size)
            start += size
        return modules

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Yield the store in pieces of at most ``rows`` rows.

        Raises:
            AttributionError: Naming a row whose gradient is not finite.
        """
        import numpy as np

        for folder in self.parts.values():
            gradients, _, columns = read_index(folder)
            for start in range(0, len(gradients), rows):
                piece = np.array(gradients[start : start + rows], dtype=np.float32)
                chosen = columns[start : start + rows]
                _refuse_broken(chosen[self.id_column], piece)
                yield Chunk(list(chosen[self.id_column]), np.array(chosen["loss"]), piece)


def plan_parts(sequences: Dataset, id_column: str, model: LanguageModel, settings: GradientSettings) -> dict[str, Part]:
    """Divide sequences into the parts of a store.

    Args:
        sequences: Rows with ``input_ids``, ``labels``, ``length`` and the id column.
        id_column: Column of the ids.
        model: Whose gradients.
        settings: How they are taken.
    """
    parts = {}
    for start in range(0, len(sequences), settings.documents_per_part):
        piece = sequences.select(range(start, min(start + settings.documents_per_part, len(sequences))))
        parts[f"part-{start // settings.documents_per_part:05d}"] = plan_part(piece, id_column, model, settings)
    return parts


def plan_part(sequences: Dataset, id_column: str, model: LanguageModel, settings: GradientSettings) -> Part:
    """Describe one part: its identity and how it is computed."""
    longest = max(sequences["length"])
    if longest > settings.token_batch:
        raise AttributionError(
            f"{id_column} {_longest(sequences, id_column)!r} has {longest} tokens, gradients.token_batch is "
            f"{settings.token_batch}: raise it to at least gradients.max_tokens"
        )
    digest = digest_of(
        model.digest(),
        settings,
        digest_of_rows(sequences, [id_column, "input_ids", "labels"]),
        [version(name) for name in ("bergson", "torch", "transformers")],
        digest_of_path(Path(__file__).parent),
    )
    return Part(digest, partial(build_index, sequences, model, settings))


def digest_of_rows(rows: Dataset, columns: list[str]) -> str:
    """Return the identity of some columns of a dataset, streamed."""
    import hashlib

    total = hashlib.sha256()
    for batch in rows.select_columns(columns).iter(batch_size=1000):
        total.update(json.dumps(batch).encode())
    return total.hexdigest()


def _longest(sequences: Any, id_column: str) -> str:
    lengths = list(sequences["length"])
    return str(sequences[id_column][lengths.index(max(lengths))])


def _refuse_broken(ids: list[str], gradients: np.ndarray) -> None:
    import numpy as np

    sound = np.isfinite(gradients).all(axis=1)
    if not sound.all():
        raise AttributionError(
            f"the gradient of {ids[int(np.argmin(sound))]!r} is not finite (and {int((~sound).sum()) - 1} more): "
            f"the model diverged or overflows in this precision"
        )
