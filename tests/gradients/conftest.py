"""Fixtures: gradients of a few documents, and made stores of any gradients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from social_provenance.artifacts import seal
from social_provenance.datasets import PartsFolder
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_index import INDEX, STATES
from social_provenance.gradients.walk.collect import Walk, plan_store
from social_provenance.gradients.walk.store import MOMENTS, ROWS, STORE, GradientStore
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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
SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128)
MODULES = {"up": 4, "down": 9}


@pytest.fixture
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., GradientStore]:
    """Return a function that writes gradients, given or random, as a sealed store of two modules.

    Four of thirteen columns are those of the first module.
    """

    def make(
        rows: int = 40,
        seed: int = 0,
        gradients: np.ndarray | None = None,
        *,
        blocks: Sequence[int] | None = None,
        shards: int = 1,
        ids: Sequence[str] | None = None,
        **identity: Any,
    ) -> GradientStore:
        if gradients is None:
            rng = np.random.default_rng(seed)
            gradients = rng.normal(size=(rows, 13)) @ np.diag(np.linspace(0.3, 3, 13))
        names = list(ids) if ids is not None else [f"d{number:03d}" for number in range(len(gradients))]
        columns = {"id": names, "tokens": np.arange(len(gradients)) + 2, "loss": np.arange(len(gradients), dtype="f4")}
        table = pd.DataFrame({**columns, "norm": np.linalg.norm(gradients, axis=1).astype("f4")})
        table["block"] = list(blocks) if blocks is not None else 0
        root = tmp_path_factory.mktemp("made")
        folders = {}
        for number, places in enumerate(np.array_split(np.arange(len(gradients)), shards)):
            folders[f"shard-{number}"] = root / f"shard-{number}"
            _write(folders[f"shard-{number}"], table.iloc[places], gradients[places].astype("f4"), identity)
        return GradientStore(folders)

    return make


def _write(folder: Path, rows: pd.DataFrame, gradients: np.ndarray, identity: dict[str, Any]) -> None:
    (folder / INDEX).mkdir(parents=True)
    gradients.tofile(folder / INDEX / "gradients.bin")
    modules = {name: width * gradients.shape[1] // sum(MODULES.values()) for name, width in MODULES.items()}
    info = {"num_grads": len(rows), "grad_sizes": modules, "base_dtype": "float32"}
    (folder / INDEX / "info.json").write_text(json.dumps(info))
    rows.reset_index(drop=True).to_parquet(folder / ROWS)
    np.save(folder / STATES, gradients[:, :3])
    up, down = torch.from_numpy(gradients).split(list(modules.values()), dim=1)
    save_file({"up": up.T @ up, "down": down.T @ down}, folder / MOMENTS)
    shared = {"model": "m", "projection_dim": 4, "loss_reduction": "sum", "modules": modules}
    (folder / STORE).write_text(json.dumps(shared | identity))
    seal(folder, folder.name, "code")


@pytest.fixture(scope="session")
def sequences(tiny_tokenizer: Any) -> Dataset:
    """Return the documents as token sequences."""
    from datasets import Dataset

    ids = tiny_tokenizer(list(TEXTS))["input_ids"]
    names = [f"doc-{number}" for number in range(len(TEXTS))]
    columns = {"doc_id": names, "input_ids": ids, "length": [len(row) for row in ids]}
    return Dataset.from_dict(columns)


@pytest.fixture(scope="session")
def model(tiny_model_folder: Path) -> LanguageModel:
    return LanguageModel(str(tiny_model_folder))


@pytest.fixture(scope="session")
def collect(tmp_path_factory: pytest.TempPathFactory, model: LanguageModel) -> Callable[..., GradientStore]:
    """Return a function that collects the gradients of sequences into a sealed store of one shard."""

    def build(rows: Dataset, id_column: str = "doc_id", **settings: Any) -> GradientStore:
        walk = Walk(model, SETTINGS.model_copy(update=settings), Distributed(), id_column)
        folder = PartsFolder(path=str(tmp_path_factory.mktemp("store")))
        folder.save(plan_store({"all": rows}, walk))
        return GradientStore(folder.load())

    return build


@pytest.fixture(scope="session")
def store(collect: Callable[..., GradientStore], sequences: Dataset) -> GradientStore:
    """Return the gradients of the documents, in one shard; nobody may write into it."""
    return collect(sequences)


@pytest.fixture(scope="session")
def by_id() -> Callable[..., dict[str, np.ndarray]]:
    """Return a function that reads a store into id -> gradient, or with ``losses`` id -> loss."""

    def read(store: GradientStore, rows: int = 3, *, losses: bool = False) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for chunk in store.chunks(rows):
            found |= dict(zip(chunk.rows["id"], chunk.rows["loss"] if losses else chunk.gradients, strict=True))
        return found

    return read


@pytest.fixture(scope="session")
def assert_near() -> Callable[[dict[str, np.ndarray], dict[str, np.ndarray]], None]:
    """Return a function that compares gradients by their ids, up to rounding."""

    def compare(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
        assert set(one) == set(other)
        for name, gradient in one.items():
            np.testing.assert_allclose(other[name], gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())

    return compare
