"""Scores against a direct computation, and the laws that they must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.errors import AttributionError
from social_provenance.gradients.scoring import score_documents
from social_provenance.gradients.settings import ScoringSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets import Dataset

    Maker = Callable[..., Any]

SETTINGS = ScoringSettings(damping=0.1, target_component=3, chunk=16)


def _scores(corpus: Any, queries: Any, method: str, **changed: Any) -> np.ndarray:
    """Return the scores of the documents for one benchmark, in the order of the corpus."""
    table = score_documents(corpus, {"siqa": queries}, SETTINGS.model_copy(update=changed)).table
    own = table[table["method"] == method].set_index("doc_id")["score"]
    found: np.ndarray = own.loc[corpus.ids].to_numpy()
    return found


def _direct(corpus: Any, queries: Any, method: str) -> np.ndarray:
    """Compute METHOD's formula with dense matrices in double precision."""
    sides = (queries.gradients.astype(float), corpus.gradients.astype(float))
    moments = {name: [g[:, at].T @ g[:, at] / len(g) for g in sides] for name, at in corpus.modules.items()}
    spectra = [
        np.sort(np.concatenate([np.linalg.eigvalsh(pair[side]) for pair in moments.values()])) for side in (0, 1)
    ]
    weight = spectra[1][-3] / (spectra[0][-3] + spectra[1][-3])
    root = np.zeros((13, 13))
    for name, at in corpus.modules.items():
        values, vectors = np.linalg.eigh(weight * moments[name][0] + (1 - weight) * moments[name][1])
        root[at, at] = vectors * (values + 0.1 * values.mean()) ** -0.5 @ vectors.T
    query, document = (side @ root for side in sides)
    if method == "trackstar":
        query, document = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (query, document))
    means: np.ndarray = (document @ query.T).mean(axis=1)
    return means


METHODS = pytest.mark.parametrize("method", ["trackstar", "influence"])


@METHODS
def test_scores_are_those_of_the_formula(make_rows: Maker, method: str) -> None:
    corpus, queries = make_rows(50, seed=1), make_rows(11, seed=2)
    np.testing.assert_allclose(_scores(corpus, queries, method), _direct(corpus, queries, method), rtol=1e-3, atol=1e-5)


@METHODS
@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_scores_do_not_depend_on_the_pieces(make_rows: Maker, method: str, chunk: int) -> None:
    corpus, queries = make_rows(50, seed=1), make_rows(11, seed=2)
    usual = _scores(corpus, queries, method)
    np.testing.assert_allclose(_scores(corpus, queries, method, chunk=chunk), usual, rtol=1e-4, atol=1e-6)


@METHODS
def test_scores_do_not_depend_on_the_order_of_documents_or_queries(make_rows: Maker, method: str) -> None:
    corpus, queries = make_rows(50, seed=1), make_rows(11, seed=2)
    order = np.random.default_rng(0).permutation(50)
    mixed = _scores(make_rows(gradients=corpus.gradients[order]), make_rows(gradients=queries.gradients[::-1]), method)
    np.testing.assert_allclose(mixed, _scores(corpus, queries, method)[order], rtol=1e-4, atol=1e-6)


@METHODS
def test_asking_every_query_twice_changes_nothing(make_rows: Maker, method: str) -> None:
    corpus, queries = make_rows(50, seed=1), make_rows(11, seed=2)
    twice = make_rows(gradients=np.concatenate([queries.gradients] * 2))
    np.testing.assert_allclose(_scores(corpus, twice, method), _scores(corpus, queries, method), rtol=1e-4, atol=1e-6)


@METHODS
def test_turning_a_query_turns_its_scores(make_rows: Maker, method: str) -> None:
    corpus, query = make_rows(50, seed=1), make_rows(1, seed=2)
    turned = _scores(corpus, make_rows(gradients=-query.gradients), method)
    np.testing.assert_allclose(turned, -_scores(corpus, query, method), rtol=1e-5)


def test_trackstar_does_not_see_the_length_of_a_gradient_and_influence_is_linear_in_it(make_rows: Maker) -> None:
    gradients = make_rows(50, seed=1).gradients
    gradients[1] = 3 * gradients[0]
    gradients[4] = gradients[2] + 0.5 * gradients[3]
    corpus, queries = make_rows(gradients=gradients), make_rows(11, seed=2)
    cosine, product = (_scores(corpus, queries, method) for method in ("trackstar", "influence"))
    assert cosine[1] == pytest.approx(cosine[0], rel=1e-4)
    assert product[1] == pytest.approx(3 * product[0], rel=1e-4)
    assert product[4] == pytest.approx(product[2] + 0.5 * product[3], rel=1e-3)


@pytest.mark.parametrize(("documents", "questions"), [(100.0, 1.0), (1.0, 0.01), (7.0, 20.0)])
def test_trackstar_does_not_depend_on_the_scale_of_either_side(
    make_rows: Maker, documents: float, questions: float
) -> None:
    corpus, queries = make_rows(50, seed=1), make_rows(11, seed=2)
    scaled = _scores(
        make_rows(gradients=documents * corpus.gradients),
        make_rows(gradients=questions * queries.gradients),
        "trackstar",
    )
    np.testing.assert_allclose(scaled, _scores(corpus, queries, "trackstar"), rtol=1e-3, atol=1e-5)


def test_a_document_that_is_the_query_has_the_highest_cosine(make_rows: Maker) -> None:
    gradients = make_rows(50, seed=1).gradients
    scores = _scores(make_rows(gradients=gradients), make_rows(gradients=gradients[[8]]), "trackstar")
    assert scores[8] == pytest.approx(1.0, abs=1e-4)
    assert np.abs(np.delete(scores, 8)).max() < 0.999


def test_a_document_without_gradient_scores_nought(make_rows: Maker) -> None:
    gradients = make_rows(50, seed=1).gradients
    gradients[5] = 0
    corpus, queries = make_rows(gradients=gradients), make_rows(11, seed=2)
    assert [_scores(corpus, queries, method)[5] for method in ("trackstar", "influence")] == [0, 0]


def test_the_table_has_every_document_benchmark_and_method_once(make_rows: Maker) -> None:
    corpus, queries = make_rows(20), {"siqa": make_rows(5, seed=1), "arc": make_rows(7, seed=2)}
    found = score_documents(corpus, queries, SETTINGS)
    assert list(found.table) == ["doc_id", "benchmark", "method", "score", "loss", "grad_norm"]
    assert len(found.table) == 20 * 2 * 2
    assert not found.table.duplicated(["doc_id", "benchmark", "method"]).any()
    row = found.table[found.table["doc_id"] == "d003"].iloc[0]
    assert row["loss"] == 3.0
    assert row["grad_norm"] == pytest.approx(np.linalg.norm(corpus.gradients[3]), rel=1e-5)
    assert found.summary["documents"] == 20
    assert found.summary["modules"] == 2
    assert found.summary["numbers_a_document"] == 13
    assert {name: one["queries"] for name, one in found.summary["benchmarks"].items()} == {"siqa": 5, "arc": 7}
    assert all(0 < one["mixing"] < 1 for one in found.summary["benchmarks"].values())


def test_a_benchmark_does_not_depend_on_the_others(make_rows: Maker) -> None:
    corpus, siqa, arc = make_rows(20), make_rows(5, seed=1), make_rows(7, seed=2)
    both = score_documents(corpus, {"arc": arc, "siqa": siqa}, SETTINGS).table
    alone = score_documents(corpus, {"siqa": siqa}, SETTINGS).table
    kept = both[both["benchmark"] == "siqa"].reset_index(drop=True)
    assert kept.equals(alone)


def test_only_the_methods_asked_for_are_computed(make_rows: Maker) -> None:
    settings = ScoringSettings(methods=("influence",), default_method="influence", target_component=3)
    table = score_documents(make_rows(20), {"siqa": make_rows(5)}, settings).table
    assert set(table["method"]) == {"influence"}


def test_gradients_of_different_modules_are_not_compared(make_rows: Maker) -> None:
    corpus, queries = make_rows(20), make_rows(5)
    other = type(queries)(queries.gradients, {"up": slice(0, 4), "down": slice(4, 12)}, queries.ids)
    said = "queries of siqa and the corpus have gradients of different modules: they come from different models or"
    with pytest.raises(AttributionError, match=said):
        score_documents(corpus, {"siqa": other}, SETTINGS)


@METHODS
def test_a_document_of_high_score_lowers_the_querys_loss_when_learned(
    collect: Any, sequences: Dataset, tiny_model: Any, method: str
) -> None:
    """The sign, from end to end: predicted by the score, checked by a step on each document."""
    query = sequences.select([3]).rename_column("doc_id", "item")
    # So much damping leaves the plain inner product of gradients, which is what one small step obeys.
    settings = ScoringSettings(damping=1e6, target_component=1)
    corpus = collect(sequences, projection_dim=16)
    table = score_documents(corpus, {"siqa": collect(query, "item", projection_dim=16)}, settings).table
    scores = table[table["method"] == method].set_index("doc_id")["score"]
    assert scores["doc-3"] == scores.max()
    assert scores["doc-3"] > 0
    start = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    target = torch.tensor(query["input_ids"])
    before = float(tiny_model(input_ids=target, labels=target).loss.detach())
    drops = {}
    for row in sequences:
        tiny_model.load_state_dict(start)
        ids = torch.tensor([row["input_ids"]])
        loss = tiny_model(input_ids=ids, labels=ids).loss * (row["length"] - 1)
        weights = [value for name, value in tiny_model.named_parameters() if "_proj" in name]
        gradients = torch.autograd.grad(loss, weights)
        size = 1.0 if method == "influence" else float(torch.stack([g.norm() for g in gradients]).norm())
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(1e-5 * gradient / size)
            drops[row["doc_id"]] = before - float(tiny_model(input_ids=target, labels=target).loss)
    assert np.corrcoef([drops[doc_id] for doc_id in scores.index], scores)[0, 1] > 0.9
