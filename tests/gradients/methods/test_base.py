"""A method is what its class says: the loop asks for nothing else of it and of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.gradients.methods.base import Benchmark, Corpus, Method, ProductMethod, Variant
from social_provenance.gradients.methods.model_methods import ModelMethod
from social_provenance.gradients.methods.score_files import BLOCKS, NULLS, SCORES
from social_provenance.gradients.methods.scoring import _write
from social_provenance.gradients.methods.store_methods import StoreMethod
from social_provenance.gradients.methods.text_methods import TextMethod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

VALUES = np.arange(12.0).reshape(6, 2)
QUERIES = {
    "siqa": {"items": np.array([[1.0, 0.0], [0.0, 1.0]]), "generic_text": np.array([[2.0, 0.0]])},
    "arc": {"items": np.array([[1.0, 1.0]])},
}


class Centred(ProductMethod):
    """Product with documents whose mean over the corpus is taken off."""

    name = "centred"
    needs = "texts"

    def __init__(self, mean: np.ndarray) -> None:
        self.mean = mean

    @classmethod
    def fit(cls, corpus: ToyCorpus) -> Centred:
        return cls(corpus.values.mean(axis=0))

    def aim(self, queries: np.ndarray, preconditioner: Any) -> np.ndarray:
        return preconditioner * queries

    def aim_evenly(self, queries: np.ndarray, preconditioner: Any) -> np.ndarray:
        del preconditioner
        return np.sign(queries)

    def describe(self, documents: np.ndarray, preconditioner: Any) -> np.ndarray:
        del preconditioner
        return documents - self.mean

    def multiply(self, features: np.ndarray, directions: np.ndarray) -> np.ndarray:
        return features @ directions.T


class ToyCorpus(Corpus):
    """Documents that are two numbers each, in chunks of four; a preconditioner is a factor."""

    values = VALUES
    reads = 0

    def benchmarks(self, names: Iterable[str]) -> dict[str, Benchmark]:
        return {
            name: Benchmark(
                name,
                {
                    variant: Variant(rows, np.ones(len(rows)), len(name) * len(rows))
                    for variant, rows in QUERIES[name].items()
                },
            )
            for name in names
        }

    def chunks(self) -> Iterator[tuple[pd.DataFrame, Any]]:
        self.reads += 1
        for start in (0, 4):
            values = self.values[start : start + 4]
            ids = [f"d{start + place}" for place in range(len(values))]
            yield pd.DataFrame({"id": ids, "loss": values[:, 0], "norm": values[:, 1]}), values

    def report(self, benchmark: Benchmark, folder: Path) -> None:
        (folder / "said").write_text(benchmark.name)


def test_the_loop_scores_what_a_method_and_a_corpus_say_in_one_read(tmp_path: Path) -> None:
    waiting = {name: tmp_path / name for name in QUERIES}
    for folder in waiting.values():
        folder.mkdir()
    corpus = ToyCorpus()
    assert list(_write(corpus, [Centred], waiting)) == list(QUERIES)
    assert corpus.reads == 1
    for name, folder in waiting.items():
        expected = (VALUES - VALUES.mean(axis=0)) @ (len(name) * len(QUERIES[name]["items"]) * QUERIES[name]["items"]).T
        assert (np.stack(pd.read_parquet(folder / BLOCKS)["blocks"]) == expected).all()
        assert (pd.read_parquet(folder / SCORES)["score"] == expected.mean(axis=1)).all()
        assert (folder / "said").read_text() == name
        compared = pd.read_parquet(folder / NULLS).groupby("variant")["score"]
        centred = VALUES - VALUES.mean(axis=0)
        even = {variant: (centred @ np.sign(rows).T).mean(axis=1).tolist() for variant, rows in QUERIES[name].items()}
        assert compared.agg(list).to_dict() == even


def test_a_method_that_says_nothing_of_nulls_is_compared_with_none(tmp_path: Path) -> None:
    class Plain(Centred):
        aim_evenly = ProductMethod.aim_evenly

    (tmp_path / "siqa").mkdir()
    assert list(_write(ToyCorpus(), [Plain], {"siqa": tmp_path / "siqa"})) == ["siqa"]
    assert len(pd.read_parquet(tmp_path / "siqa" / SCORES)) == len(VALUES)
    assert pd.read_parquet(tmp_path / "siqa" / NULLS).empty


@pytest.mark.parametrize("base", [Method, ProductMethod, StoreMethod, TextMethod, ModelMethod])
def test_a_method_accepts_every_damping_unless_it_says_otherwise(base: type[Method]) -> None:
    assert base.check(0.0) is None


@pytest.mark.parametrize("base", [ProductMethod, StoreMethod, TextMethod, ModelMethod])
def test_a_base_class_is_no_method(base: type[Method]) -> None:
    with pytest.raises(TypeError, match="abstract"):
        base()
