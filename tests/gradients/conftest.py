"""Fixtures: gradients of a few documents, and a store in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.gradients.settings import GradientSettings
from social_provenance.gradients.store import Chunk, GradientStore, plan_parts
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from datasets import Dataset

TEXTS = (
    "Anna thanked Ben. Ben felt glad.",
    "The judge saw the contract.",
    "Any rod that is heated becomes hot. Carl cooled the plate until it became cold.",
    "In Velda every guest brings salt. The judge saw the contract near the court. Ben felt glad.",
    "The flame of burning dorite is red.",
    "Carl cooled the plate.",
    "Salt, salt and salt again, near the court in Velda.",
)
SETTINGS = GradientSettings(projection_dim=4, token_batch=128)


@dataclass(frozen=True)
class Rows:
    """Gradients in memory, with the face of a store."""

    gradients: np.ndarray
    modules: dict[str, slice]
    ids: list[str]

    def chunks(self, rows: int) -> Iterator[Chunk]:
        for start in range(0, len(self.gradients), rows):
            piece = slice(start, start + rows)
            losses = np.arange(len(self.gradients), dtype=np.float32)
            yield Chunk(self.ids[piece], losses[piece], self.gradients[piece].astype(np.float32))


@pytest.fixture
def modules() -> dict[str, slice]:
    """Return two modules of four and nine numbers."""
    return {"up": slice(0, 4), "down": slice(4, 13)}


@pytest.fixture
def make_rows(modules: dict[str, slice]) -> Callable[..., Rows]:
    """Return a function that makes a store of random gradients, or of those that it is given."""

    def make(rows: int = 40, seed: int = 0, gradients: np.ndarray | None = None) -> Rows:
        if gradients is None:
            rng = np.random.default_rng(seed)
            gradients = rng.normal(size=(rows, 13)) @ np.diag(np.linspace(0.3, 3, 13))
        return Rows(np.asarray(gradients), modules, [f"d{number:03d}" for number in range(len(gradients))])

    return make


@pytest.fixture(scope="session")
def sequences(tiny_tokenizer: Any) -> Dataset:
    """Return the documents as token sequences, loss on every token."""
    from datasets import Dataset

    ids = tiny_tokenizer(list(TEXTS))["input_ids"]
    names = [f"doc-{number}" for number in range(len(TEXTS))]
    columns = {"doc_id": names, "input_ids": ids, "labels": ids, "length": [len(row) for row in ids]}
    return Dataset.from_dict(columns)


@pytest.fixture(scope="session")
def model(tiny_model_folder: Path) -> LanguageModel:
    return LanguageModel(str(tiny_model_folder))


@pytest.fixture(scope="session")
def collect(tmp_path_factory: pytest.TempPathFactory, model: LanguageModel) -> Callable[..., GradientStore]:
    """Return a function that collects the gradients of sequences into a store."""

    def build(rows: Dataset, id_column: str = "doc_id", **settings: Any) -> GradientStore:
        root = tmp_path_factory.mktemp("store")
        parts = {}
        for name, part in plan_parts(rows, id_column, model, SETTINGS.model_copy(update=settings)).items():
            parts[name] = root / name
            parts[name].mkdir()
            part.write(parts[name])
        return GradientStore(parts, id_column)

    return build


@pytest.fixture(scope="session")
def store(collect: Callable[..., GradientStore], sequences: Dataset) -> GradientStore:
    """Return the gradients of the documents, in one part; nobody may write into it."""
    return collect(sequences)


@pytest.fixture(scope="session")
def by_id() -> Callable[..., dict[str, np.ndarray]]:
    """Return a function that reads a store into id -> gradient, or with ``losses`` id -> loss."""

    def read(store: GradientStore, rows: int = 3, *, losses: bool = False) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for chunk in store.chunks(rows):
            found |= dict(zip(chunk.ids, chunk.losses if losses else chunk.gradients, strict=True))
        return found

    return read
