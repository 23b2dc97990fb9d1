"""Stored gradients as methods see them: outliers shortened, directions as means over blocks, unit rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from social_provenance.gradients.methods import score_files
from social_provenance.gradients.methods.gradient_cosine import GradientCosine
from social_provenance.gradients.methods.influence import Influence
from social_provenance.gradients.methods.preconditioner import Preconditioner, _sums
from social_provenance.gradients.methods.store_methods import GradientCorpus, Gradients, StoreMethod, unit_rows
from social_provenance.gradients.methods.trackstar import TrackStar
from social_provenance.gradients.methods.trak import Trak

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]
    Of = Callable[..., np.ndarray]

BLOCKS = [1, 0, 1, 2, 1]
BLOCKS_OF_QUERIES = (0, 2, 1, 0, 2, 2, 0, 1, 1, 0, 2)
COSINES = ("trackstar", "gradient_cosine")
"""Methods whose score is a cosine: no length has a part in it."""


class Doubled(StoreMethod):
    """Inner product in which a document counts twice and a query three times."""

    name = "doubled"

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        del preconditioner
        return 2 * gradients

    def transform_queries(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        del preconditioner
        return 3 * gradients


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_direction_is_the_mean_of_a_blocks_queries_as_they_are_transformed(
    make_store: Maker, numbers: Of, scoring: Any, chunk: int
) -> None:
    store = make_store(5, blocks=BLOCKS)
    found = Doubled().aim(Gradients(store, scoring(chunk=chunk)), None)
    expected = [3 * numbers(store)[np.array(BLOCKS) == block].mean(axis=0) for block in range(3)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_where_nulls_are_compared_no_query_counts_more_than_another(
    make_store: Maker, numbers: Of, scoring: Any, chunk: int
) -> None:
    gradients = numbers(make_store(5))
    unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    expected = [unit[np.array(BLOCKS) == block].mean(axis=0) for block in range(3)]
    for factors in (np.ones(5), np.array([1.0, 7.0, 0.2, 3.0, 1.0])):
        store = make_store(gradients=gradients * factors[:, None], blocks=BLOCKS)
        found = Doubled().aim_evenly(Gradients(store, scoring(chunk=chunk)), None)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_score_multiplies_both_transformed_sides(make_store: Maker, numbers: Of) -> None:
    documents, queries = torch.from_numpy(numbers(make_store(7))), torch.from_numpy(numbers(make_store(5, seed=1)))
    found = Doubled().multiply(Doubled().describe(documents, None), 3 * queries)
    np.testing.assert_allclose(found, 6 * (documents @ queries.T).numpy())


def test_each_variant_has_the_preconditioner_that_it_would_have_as_a_benchmark_of_its_own(
    make_store: Maker, scoring: Any
) -> None:
    corpus, items, null = make_store(50, seed=1), make_store(11, seed=2), make_store(8, seed=3)
    queries = {"siqa": {"items": items, "null": null}, "twin": {"items": null}}
    found = GradientCorpus.of(corpus, queries, scoring()).benchmarks(queries)
    siqa, twin = found["siqa"].variants, found["twin"].variants
    alone = GradientCorpus.of(corpus, {"siqa": {"items": items}}, scoring()).benchmarks(["siqa"])["siqa"].variants
    rows = torch.eye(13)
    roots = [variant.preconditioner.apply(rows) for variant in (siqa["items"], siqa["null"])]
    assert torch.equal(roots[0], alone["items"].preconditioner.apply(rows))
    assert torch.equal(roots[1], twin["items"].preconditioner.apply(rows))
    assert not torch.equal(*roots)
    assert {name: variant.sizes.tolist() for name, variant in siqa.items()} == {"items": [11], "null": [8]}


def test_outliers_are_shortened_by_the_norms_of_their_own_store(make_store: Maker, numbers: Of, scoring: Any) -> None:
    gradients = numbers(make_store(20))
    gradients[3] *= 100
    store = make_store(gradients=gradients)
    norms = np.linalg.norm(gradients, axis=1)
    read = torch.cat([rows for _, rows in Gradients(store, scoring(winsorise=2.0)).chunks()]).norm(dim=1)
    np.testing.assert_allclose(read.numpy(), np.minimum(norms, 2 * np.median(norms)), rtol=1e-5)


def test_unit_rows_have_length_one_unless_they_are_zero() -> None:
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-12, 0.0]])
    assert unit_rows(rows).tolist() == [pytest.approx([0.6, 0.8]), [0.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize(("documents", "questions"), [(100.0, 1.0), (1.0, 0.01), (7.0, 20.0), (1e-6, 1e6)])
@pytest.mark.parametrize("method", COSINES)
def test_the_scale_of_either_loss_does_not_matter(
    make_store: Maker, of: Of, method: str, numbers: Of, documents: float, questions: float
) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    scaled = of(
        make_store(gradients=documents * numbers(corpus)),
        make_store(gradients=questions * numbers(queries), blocks=BLOCKS_OF_QUERIES),
        method,
        score_files.BLOCKS,
    )
    usual = of(corpus, queries, method, score_files.BLOCKS)
    np.testing.assert_allclose(scaled, usual, rtol=0, atol=1e-4 * np.abs(usual).max())


@pytest.mark.parametrize("method", COSINES)
def test_a_document_that_is_the_query_has_a_cosine_of_one(make_store: Maker, of: Of, method: str, numbers: Of) -> None:
    gradients = numbers(make_store(50, seed=1))
    scores = of(make_store(gradients=gradients), make_store(gradients=gradients[[8]]), method)
    assert scores[8] == pytest.approx(1.0, abs=1e-5)
    assert np.abs(np.delete(scores, 8)).max() < 0.999


@pytest.mark.parametrize("method", COSINES)
def test_the_length_of_a_documents_gradient_does_not_matter(
    make_store: Maker, of: Of, method: str, numbers: Of
) -> None:
    gradients = numbers(make_store(50, seed=1))
    gradients[1] = 3 * gradients[0]
    scores = of(make_store(gradients=gradients), make_store(11, seed=2), method)
    assert scores[1] == pytest.approx(scores[0], rel=1e-4)


@pytest.mark.parametrize("kind", [TrackStar, Influence, GradientCosine, Trak])
def test_everything_is_compared_on_one_device(
    make_store: Maker, scoring: Any, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    gpu = torch.device("cuda:0")
    for module in ("outliers", "preconditioner", "store_methods", "trak"):
        monkeypatch.setattr(f"social_provenance.gradients.methods.{module}.compute_device", lambda: gpu)
    settings = scoring(winsorise=1.0)
    corpus = GradientCorpus.of(make_store(12), {"siqa": {"items": make_store(5, blocks=BLOCKS)}}, settings)
    side = corpus.documents.store.width
    with FakeTensorMode(allow_non_fake_inputs=True):  # a product of tensors of two devices is refused
        roots = [(slice(0, side), torch.eye(side, device=gpu))]
        preconditioner = Preconditioner(tuple(roots), 0.5, pd.DataFrame())
        method = kind(torch.eye(side, device=gpu)) if kind is Trak else kind()
        directions = method.aim(Gradients(corpus.queries["siqa"]["items"], settings), preconditioner)
        for _, documents in corpus.chunks():
            assert (method.describe(documents, preconditioner) @ directions.T).device == gpu
        sums = _sums(corpus.documents.store, corpus.documents.winsoriser, 5)
        assert {total.device.type for total in sums.values()} == {"cpu"}
        with pytest.raises(RuntimeError, match="same device"):
            documents @ torch.eye(side)
