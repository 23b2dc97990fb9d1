"""Fixtures: scores of made stores, and dense matrices to compare them with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.datasets import PartsFolder
from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.methods.score_files import BLOCKS, SCORES
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.settings import ScoringSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from social_provenance.gradients.walk.store import GradientStore

    Parts = Mapping[str, Path]
    Score = Callable[..., Parts]


@pytest.fixture(scope="session")
def scoring() -> Callable[..., ScoringSettings]:
    """Return a function that makes the settings of a comparison by all methods on the store."""

    def make(**changed: Any) -> ScoringSettings:
        usual = {"methods": method_names("store"), "default_method": "trackstar", "damping": 0.1}
        return ScoringSettings(**{**usual, "target_component": 3, "chunk": 16, **changed})

    return make


@pytest.fixture
def score(tmp_path_factory: pytest.TempPathFactory, scoring: Callable[..., ScoringSettings]) -> Score:
    """Return a function that scores: benchmark -> variant -> queries, or their store alone."""

    def run(corpus: GradientStore, queries: Mapping[str, Any], **changed: Any) -> Parts:
        sets = {name: own if isinstance(own, dict) else {"items": own} for name, own in queries.items()}
        folder = PartsFolder(path=str(tmp_path_factory.mktemp("scores")))
        folder.save(plan_scores(corpus, sets, scoring(**changed)))
        return folder.load()

    return run


@pytest.fixture
def of(score: Score) -> Callable[..., np.ndarray]:
    """Return a function that gives the scores of the documents for one benchmark, in the order of the corpus."""

    def run(corpus: GradientStore, queries: Any, method: str, name: str = SCORES, **changed: Any) -> np.ndarray:
        only = {"methods": [method], "default_method": method}
        table = pd.read_parquet(score(corpus, {"siqa": queries}, **{**only, **changed})["siqa"] / name)
        return np.stack(table["blocks"]) if name == BLOCKS else table["score"].to_numpy()

    return run


@pytest.fixture(scope="session")
def numbers() -> Callable[[GradientStore], np.ndarray]:
    """Return a function that reads all gradients of a store in double precision."""

    def read(store: GradientStore) -> np.ndarray:
        return np.concatenate([piece.gradients for piece in store.chunks(1000)]).astype(np.float64)

    return read


@pytest.fixture(scope="session")
def root_of(numbers: Callable[[GradientStore], np.ndarray]) -> Callable[..., np.ndarray]:
    """Return a function from both stores to the inverse root of the mixed second moment over all modules."""

    def compute(corpus: GradientStore, items: GradientStore, damping: float = 0.1) -> np.ndarray:
        sides = (numbers(items), numbers(corpus))
        moments = {name: [side[:, at].T @ side[:, at] / len(side) for side in sides] for name, at in _modules(corpus)}
        spectra = [
            np.sort(np.concatenate([np.linalg.eigvalsh(pair[side]) for pair in moments.values()])) for side in (0, 1)
        ]
        weight = spectra[1][-3] / (spectra[0][-3] + spectra[1][-3])
        root = np.zeros((13, 13))
        for name, at in _modules(corpus):
            values, vectors = np.linalg.eigh(weight * moments[name][0] + (1 - weight) * moments[name][1])
            root[at, at] = vectors * (values + damping * values.mean()) ** -0.5 @ vectors.T
        return root

    return compute


def _modules(store: GradientStore) -> list[tuple[str, slice]]:
    return list(store.modules.items())
