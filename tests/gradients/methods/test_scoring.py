"""Scores against a direct computation, and the laws that they must keep."""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from datasets import Dataset
from kedro.io import DatasetError

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods import scoring as scoring_loop
from social_provenance.gradients.methods.registry import method_names
from social_provenance.gradients.methods.score_files import AUDIT, BLOCKS, NULLS, SCORES, SUMMARY
from social_provenance.gradients.methods.scoring import _score, plan_scores
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.collect import plan_corpus, plan_queries
from social_provenance.gradients.walk.store import GradientStore, query_stores
from social_provenance.language_model import LanguageModel, TrainedModel
from social_provenance.source.reach import Code, Reach
from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Maker = Callable[..., GradientStore]
    Parts = Mapping[str, Path]
    Score = Callable[..., Parts]
    Of = Callable[..., np.ndarray]

ASKED = (0, 2, 1, 0, 2, 2, 0, 1, 1, 0, 2)
"""Blocks of the eleven queries of most tests."""
METHODS = pytest.mark.parametrize("method", method_names("store"))
"""Laws of the loop hold for every method on the store, those that are added later too."""
KNOWN = pytest.mark.parametrize("method", ["trackstar", "influence", "gradient_cosine", "trak"])
"""Methods that this file knows the formula of."""


def _of(parts: Parts, method: str, name: str = SCORES, benchmark: str = "siqa") -> np.ndarray:
    table = pd.read_parquet(parts[benchmark] / name)
    own = table[table["method"] == method]
    return np.stack(own["blocks"]) if name == BLOCKS else own["score"].to_numpy()


def _numbers(store: GradientStore) -> np.ndarray:
    """Return all gradients of a store in double precision."""
    return np.concatenate([piece.gradients for piece in store.chunks(1000)]).astype(np.float64)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _shortened(gradients: np.ndarray, winsorise: float) -> np.ndarray:
    norms = np.linalg.norm(gradients, axis=1)
    return gradients * np.minimum(1, winsorise * np.median(norms) / norms)[:, None]


@pytest.fixture
def direct(root_of: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Return a function that computes the scores of a known method with dense matrices: documents x queries."""

    def compute(corpus: GradientStore, items: GradientStore, method: str) -> np.ndarray:
        documents, queries = _numbers(corpus), _numbers(items)
        if method == "trak":
            kernel = documents.T @ documents / len(documents)
            kernel += 0.1 * np.trace(kernel) / 13 * np.eye(13)
            return np.asarray(documents @ np.linalg.inv(kernel) @ queries.T)
        if method != "gradient_cosine":
            root = root_of(corpus, items)
            documents, queries = documents @ root, queries @ root
        if method != "influence":
            documents, queries = _unit(documents), _unit(queries)
        return np.asarray(documents @ queries.T)

    return compute


def _block_means(by_query: np.ndarray, blocks: Any = ASKED) -> np.ndarray:
    return np.array([by_query[:, np.array(blocks) == block].mean(axis=1) for block in range(max(blocks) + 1)]).T


def _near(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    """Make sure that two sets of scores differ by less than a share of the largest."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@METHODS
@pytest.mark.parametrize(("chunk", "shards"), [(1, 1), (7, 4), (50, 2), (1000, 9)])
def test_scores_do_not_depend_on_pieces_or_shards(
    make_store: Maker, of: Of, method: str, chunk: int, shards: int
) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2, blocks=ASKED)
    other = of(make_store(50, seed=1, shards=shards), queries, method, BLOCKS, chunk=chunk)
    _near(other, of(corpus, queries, method, BLOCKS), 1e-5)


@METHODS
def test_scores_do_not_depend_on_the_order_of_documents_or_queries(make_store: Maker, of: Of, method: str) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2, blocks=ASKED)
    order = np.random.default_rng(0).permutation(50)
    mixed = of(
        make_store(gradients=_numbers(corpus)[order]),
        make_store(gradients=_numbers(queries)[::-1], blocks=ASKED[::-1]),
        method,
        BLOCKS,
    )
    _near(mixed, of(corpus, queries, method, BLOCKS)[order], 1e-5)


@METHODS
def test_the_mean_over_blocks_weighted_by_their_queries_is_the_mean_over_queries(
    make_store: Maker, of: Of, method: str
) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2, blocks=ASKED)
    sizes = np.bincount(ASKED)
    blocks, scores = (of(corpus, queries, method, name) for name in (BLOCKS, SCORES))
    _near(blocks @ (sizes / sizes.sum()), scores, 1e-6)
    _near(of(corpus, make_store(11, seed=2), method), scores, 1e-5)
    each = of(corpus, make_store(11, seed=2, blocks=range(11)), method, BLOCKS)
    _near(_block_means(each), blocks, 1e-5)


@METHODS
def test_asking_every_query_twice_changes_nothing(make_store: Maker, of: Of, method: str) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2)
    twice = make_store(gradients=np.concatenate([_numbers(queries)] * 2))
    _near(of(corpus, twice, method), of(corpus, queries, method), 1e-5)


@METHODS
def test_copies_of_a_document_have_equal_scores(make_store: Maker, of: Of, method: str) -> None:
    gradients = _numbers(make_store(50, seed=1))
    gradients[[20, 41]] = gradients[3]
    found = of(make_store(gradients=gradients, shards=2), make_store(11, seed=2, blocks=ASKED), method, BLOCKS, chunk=7)
    _near(found[[20, 41]], found[[3, 3]], 1e-6)


@METHODS
def test_turning_a_query_turns_its_scores(make_store: Maker, of: Of, method: str) -> None:
    corpus, query = make_store(50, seed=1), make_store(1, seed=2)
    turned = of(corpus, make_store(gradients=-_numbers(query)), method)
    _near(turned, -of(corpus, query, method), 1e-6)


@METHODS
def test_without_gradient_a_document_scores_nought_and_a_query_counts_nought(
    make_store: Maker, of: Of, method: str
) -> None:
    gradients, asked = _numbers(make_store(50, seed=1)), _numbers(make_store(11, seed=2))
    gradients[5], asked[1] = 0, 0
    found = of(make_store(gradients=gradients), make_store(gradients=asked, blocks=range(11)), method, BLOCKS)
    assert (found[5] == 0).all()
    assert (found[:, 1] == 0).all()
    assert np.count_nonzero(found) == 49 * 10


@KNOWN
def test_outliers_score_as_if_they_had_been_shortened_before(
    make_store: Maker, of: Of, method: str, direct: Any
) -> None:
    gradients, asked = _numbers(make_store(50, seed=1)), _numbers(make_store(11, seed=2))
    gradients[::7] *= np.linspace(30, 90, 8)[:, None]
    asked[4] *= 50
    found = of(
        make_store(gradients=gradients, shards=3),
        make_store(gradients=asked, blocks=ASKED),
        method,
        BLOCKS,
        winsorise=3.0,
    )
    short = make_store(gradients=_shortened(gradients, 3))
    queries = make_store(gradients=_shortened(asked, 3), blocks=ASKED)
    _near(found, of(short, queries, method, BLOCKS, winsorise=None), 1e-3)
    _near(found, _block_means(direct(short, queries, method)), 1e-3)


@METHODS
def test_how_long_an_outlier_is_does_not_matter(make_store: Maker, of: Of, method: str) -> None:
    corpora = []
    for length in (20, 200):
        gradients = _numbers(make_store(50, seed=1))
        gradients[6] *= length * np.median(np.linalg.norm(gradients, axis=1)) / np.linalg.norm(gradients[6])
        corpora.append(make_store(gradients=gradients))
    queries = make_store(11, seed=2)
    long, longer = (of(corpus, queries, method) for corpus in corpora)
    _near(longer, long, 1e-3)
    if method == "gradient_cosine":  # the one method without a second moment sees no outlier among documents
        _near(of(corpora[0], queries, method, winsorise=None), long, 1e-6)
    else:
        raw = [of(corpus, queries, method, winsorise=None) for corpus in corpora]
        assert np.abs(raw[1] - raw[0]).max() > 0.01 * np.abs(raw[0]).max()


@METHODS
def test_a_corpus_without_outliers_is_not_winsorised(make_store: Maker, of: Of, method: str) -> None:
    corpus, queries = make_store(50, seed=1), make_store(11, seed=2)
    assert (of(corpus, queries, method, winsorise=10.0) == of(corpus, queries, method, winsorise=None)).all()


def test_every_document_has_one_score_for_each_benchmark_and_method(make_store: Maker, score: Score) -> None:
    corpus = make_store(20, shards=2)
    parts = score(corpus, {"siqa": make_store(5, seed=1), "arc": make_store(7, seed=2)})
    table = pd.concat([pd.read_parquet(folder / SCORES) for folder in parts.values()])
    assert len(table) == 20 * 2 * len(method_names("store"))
    assert not table.duplicated(["doc_id", "benchmark", "method"]).any()
    for _, own in table.groupby(["benchmark", "method"]):
        assert own["doc_id"].tolist() == [f"d{number:03d}" for number in range(20)]
        assert own["loss"].tolist() == list(range(20))
        np.testing.assert_allclose(own["grad_norm"], np.linalg.norm(_numbers(corpus), axis=1), rtol=1e-6)


def test_only_the_methods_asked_for_are_computed(make_store: Maker, score: Score) -> None:
    queries = {"items": make_store(5, seed=1), "generic_text": make_store(5, seed=2)}
    parts = score(make_store(20), {"siqa": queries}, methods=["influence", "bm25"], default_method="bm25")
    for name in (SCORES, BLOCKS, NULLS):
        table = pd.read_parquet(parts["siqa"] / name)
        assert set(table["method"]) == {"influence"}
        assert len(table) == (40 if name == NULLS else 20)


def test_a_read_holds_at_most_a_chunk_and_each_goes_to_disk_before_the_next(make_store: Maker, score: Score) -> None:
    corpus = make_store(50, seed=1, shards=2)
    sizes = [7, 7, 7, 4] * 2
    assert [len(piece.rows) for piece in corpus.chunks(7)] == sizes
    assert [piece.gradients.shape for piece in corpus.chunks(7)] == [(size, 13) for size in sizes]
    parts = score(corpus, {"siqa": make_store(11, seed=2)}, chunk=7)
    for name in (SCORES, BLOCKS):
        written = pq.ParquetFile(parts["siqa"] / name).metadata
        groups = [written.row_group(place).num_rows for place in range(written.num_row_groups)]
        assert groups == [size for size in sizes for _ in method_names("store")]


def test_threads_change_no_digit(make_store: Maker, score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    """At this width sums over two threads differ in their last digits, where they are let."""
    rng = np.random.default_rng(0)
    corpus, asked = (make_store(gradients=rng.normal(size=(rows, 130))) for rows in (300, 60))
    used, files = set(), set()

    def spy(*arguments: Any) -> None:
        used.add(torch.get_num_threads())
        _score(*arguments)

    monkeypatch.setattr(scoring_loop, "_score", spy)
    for threads in (1, 2, 4):
        with cpu_threads(threads):
            folder = score(corpus, {"siqa": asked})["siqa"]
            assert torch.get_num_threads() == threads
        files.add(tuple((folder / name).read_bytes() for name in (SCORES, BLOCKS, NULLS, AUDIT, SUMMARY)))
    assert used == {1}
    assert len(files) == 1


@KNOWN
def test_items_and_nulls_are_compared_through_their_own_preconditioner_on_queries_of_norm_one(
    make_store: Maker, score: Score, method: str, direct: Any, norms_of: Any
) -> None:
    """A score is linear in its query: over the query's norm it is the score of a query of norm 1."""
    corpus, items = make_store(50, seed=1), make_store(11, seed=2, blocks=ASKED)
    null = make_store(8, seed=3, blocks=[2, 0, 0, 1, 2, 2, 0, 0])
    parts = score(corpus, {"siqa": {"items": items, "shuffled_answers": null}})
    table = pd.read_parquet(parts["siqa"] / NULLS)
    for variant, asked in (("items", items), ("shuffled_answers", null)):
        own = table[(table["method"] == method) & (table["variant"] == variant)]
        _near(own["score"].to_numpy(), (direct(corpus, asked, method) / norms_of(corpus, asked, method)).mean(axis=1))


@pytest.fixture
def norms_of(root_of: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Return a function that computes the norms of the query directions of a known method."""

    def compute(corpus: GradientStore, asked: GradientStore, method: str) -> np.ndarray:
        documents, queries = _numbers(corpus), _numbers(asked)
        if method == "influence":
            return np.linalg.norm(queries @ root_of(corpus, asked), axis=1)
        if method == "trak":
            kernel = documents.T @ documents / len(documents)
            kernel += 0.1 * np.trace(kernel) / 13 * np.eye(13)
            return np.linalg.norm(queries @ np.linalg.inv(kernel), axis=1)
        return np.ones(len(queries))

    return compute


@pytest.mark.parametrize("method", ["trackstar", "gradient_cosine"])
def test_cosines_of_the_items_are_compared_as_they_are(make_store: Maker, score: Score, method: str) -> None:
    parts = score(make_store(50, seed=1), {"siqa": {"items": make_store(11, seed=2, blocks=ASKED)}})
    table = pd.read_parquet(parts["siqa"] / NULLS)
    _near(table[table["method"] == method]["score"].to_numpy(), _of(parts, method), 1e-6)


def test_nulls_change_no_score_of_their_benchmark(make_store: Maker, score: Score) -> None:
    corpus, items = make_store(50, seed=1), make_store(11, seed=2, blocks=ASKED)
    nulls = {"shuffled_answers": make_store(8, seed=3), "generic_text": make_store(11, seed=4)}
    alone, beside = score(corpus, {"siqa": items}), score(corpus, {"siqa": {**nulls, "items": items}})
    for name in (SCORES, BLOCKS, SUMMARY):
        assert (beside["siqa"] / name).read_bytes() == (alone["siqa"] / name).read_bytes()
    audits = [pd.read_parquet(parts["siqa"] / AUDIT) for parts in (alone, beside)]
    assert audits[0].equals(audits[1].query("variant == 'items'").reset_index(drop=True))
    assert audits[1].groupby("module")["variant"].agg(set).map({"items", *nulls}.__eq__).all()
    compared = [pd.read_parquet(parts["siqa"] / NULLS) for parts in (alone, beside)]
    assert set(compared[1]["variant"]) == {"items", *nulls}
    assert compared[0].equals(compared[1].query("variant == 'items'").reset_index(drop=True))


def test_a_benchmark_added_later_computes_its_part_and_changes_no_other(
    make_store: Maker, score: Score, tmp_path: Path, scoring: Any
) -> None:
    corpus = make_store(50, seed=1, shards=3)
    queries = {name: {"items": make_store(9 + seed, seed=seed)} for seed, name in enumerate(["siqa", "arc", "mmlu"])}
    folder = PartsFolder(path=str(tmp_path / "scores"))
    states = []
    for some in (["siqa"], ["siqa", "arc"], ["mmlu", "arc", "siqa"]):
        folder.save(plan_scores(corpus, {name: queries[name] for name in some}, scoring()))
        assert list(folder.load()) == some
        states.append({path: path.stat() for own in folder.load().values() for path in own.iterdir()})
    for earlier, later in itertools.pairwise(states):
        for path, was in earlier.items():
            assert (later[path].st_ino, later[path].st_mtime_ns) == (was.st_ino, was.st_mtime_ns)
    for name, own in score(corpus, queries).items():
        for file in (SCORES, BLOCKS, NULLS, AUDIT, SUMMARY):
            assert (own / file).read_bytes() == (folder.load()[name] / file).read_bytes()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"model": "n"}, r"model \(m and n\)"),
        ({"projection_dim": 8}, r"projection_dim \(4 and 8\)"),
        ({"loss_reduction": "mean"}, r"loss_reduction \(sum and mean\)"),
        ({"modules": {"up": 4, "gate": 9}}, "modules"),
        ({"modules": {"up": 9, "down": 4}}, "modules"),
    ],
)
def test_gradients_of_another_model_or_projection_are_not_compared(
    make_store: Maker, other: dict[str, Any], said: str, scoring: Any
) -> None:
    corpus, good = make_store(20), make_store(5)
    for variant in ("items", "generic_text"):
        queries = {"arc": {"items": good}, "siqa": {"items": good, variant: make_store(5, **other)}}
        whole = f"gradients of the corpus and the {variant} of siqa differ in {said}: they come from different models"
        with pytest.raises(AttributionError, match=whole):
            plan_scores(corpus, queries, scoring())


def test_queries_without_their_own_items_are_refused(make_store: Maker, scoring: Any) -> None:
    said = r"the queries of benchmark 'arc' lack the variant 'items', their own items \(there are \['generic_text'\]\)"
    with pytest.raises(AttributionError, match=said):
        plan_scores(make_store(20), {"arc": {"generic_text": make_store(5)}}, scoring())


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"chunk": 7}, True),
        ({"max_joint": 100}, True),
        ({"default_method": "influence"}, True),
        ({"methods": [*reversed(method_names("store")), "bm25", "ekfac"]}, True),
        ({"methods": ["trackstar"]}, False),
        ({"damping": 0.3}, False),
        ({"target_component": 2}, False),
        ({"winsorise": None}, False),
    ],
)
def test_only_what_changes_a_score_makes_other_scores(
    make_store: Maker, change: dict[str, Any], same: bool, scoring: Any
) -> None:
    corpus, queries = make_store(20), {"arc": {"items": make_store(5)}}
    digests = [plan_scores(corpus, queries, scoring(**changed)).digests for changed in ({}, change)]
    assert (digests[0] == digests[1]) is same


@pytest.mark.parametrize("name", ["trackstar", "trak", "gradient_cosine"])
def test_the_code_of_a_part_is_the_loop_and_its_own_methods(make_store: Maker, scoring: Any, name: str) -> None:
    queries = {"arc": {"items": make_store(5)}}
    parts = plan_scores(make_store(20), queries, scoring(methods=[name], default_method=name))
    code = Code.own()
    roots = {key for root in parts.roots("arc") for key in code.roots_of(root)}
    modules = {module.rpartition(".")[2] for module, _ in Reach.of(code, sorted(roots)).edges}
    assert modules & set(method_names()) == {name}
    assert {"scoring", "store_methods", "preconditioner"} <= modules
    assert not modules & {"text_methods", "model_methods"}


def test_an_empty_store_is_refused(make_store: Maker, scoring: Any) -> None:
    with pytest.raises(AttributionError, match="the gradient store is empty"):
        plan_scores(GradientStore({}), {"siqa": {"items": make_store(5)}}, scoring())


def test_a_damaged_shard_gives_no_scores(make_store: Maker, tmp_path: Path, scoring: Any) -> None:
    corpus = make_store(20, shards=2)
    data = corpus.shards["shard-1"] / "index" / "gradients.bin"
    raw = bytearray(data.read_bytes())
    raw[40] ^= 1
    data.write_bytes(raw)
    folder = PartsFolder(path=str(tmp_path / "scores"))
    with pytest.raises(DatasetError, match=r"gradients\.bin is damaged: it has other bytes than when it was finished"):
        folder.save(plan_scores(corpus, {"siqa": {"items": make_store(5)}}, scoring()))
    assert not folder.load()


def test_one_is_told_which_benchmarks_are_decided_by_damping(
    make_store: Maker, score: Score, caplog: pytest.LogCaptureFixture
) -> None:
    narrow = np.zeros((6, 13))
    narrow[:, [1, 7]] = np.random.default_rng(0).normal(size=(6, 2))
    queries = {"narrow": make_store(gradients=narrow), "wide": make_store(60, seed=2)}
    corpus = make_store(gradients=np.random.default_rng(1).normal(size=(500, 13)))
    warned = {}
    for damping in (0.01, 0.1, 10.0):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            parts = score(corpus, queries, damping=damping)
        shares = {
            name: json.loads((own / SUMMARY).read_text())["benchmark"]["damped_share"] for name, own in parts.items()
        }
        warned[damping] = caplog.messages
        assert shares["narrow"] == pytest.approx((3 / 4 + 8 / 9) / 2 if damping < 1 else 1)
    assert [len(messages) for messages in warned.values()] == [1, 1, 1]
    assert "82% to 82% of the eigenvalues are below scoring.damping 0.1 (narrow): the preconditioner" in warned[0.1][0]
    assert (
        "100% to 100% of the eigenvalues are below scoring.damping 10.0 (narrow, wide): the preconditioner"
        in warned[10.0][0]
    )


def test_nobody_is_warned_where_the_data_decide(
    make_store: Maker, score: Score, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        score(make_store(50, seed=1), {"siqa": make_store(40, seed=2)}, damping=0.01)
    assert not caplog.messages


def test_the_summary_says_what_was_compared_and_how_it_fared(make_store: Maker, score: Score) -> None:
    gradients = _numbers(make_store(30, seed=1))
    gradients[:2] *= 500
    queries = {"siqa": make_store(11, seed=2, blocks=ASKED), "arc": make_store(7, seed=3)}
    parts = score(make_store(gradients=gradients), queries)
    for name, blocks in (("siqa", 3), ("arc", 1)):
        found, audit = json.loads((parts[name] / SUMMARY).read_text()), pd.read_parquet(parts[name] / AUDIT)
        assert found["corpus"] == {"documents": 30, "modules": 2, "numbers_a_document": 13, "outliers": 2}
        assert (found["benchmark"]["queries"], found["benchmark"]["blocks"]) == (11 if name == "siqa" else 7, blocks)
        assert 0 < found["benchmark"]["mixing"] < 1
        for measure in ("effective_rank", "damped_share"):
            assert found["benchmark"][measure] == pytest.approx(audit[measure].mean())
        assert audit["module"].tolist() == ["up", "down"]
        assert set(audit["benchmark"]) == {name}


def test_what_cannot_be_inverted_without_damping_is_named(make_store: Maker, tmp_path: Path, scoring: Any) -> None:
    corpus, queries = make_store(8, seed=1), {"siqa": {"items": make_store(8, seed=1)}}
    for methods, said in ((["trak"], "joint kernel of trak"), (["trackstar"], "second moment of module 'down'")):
        settings = scoring(methods=methods, default_method=methods[0], damping=0.0)
        with pytest.raises(AttributionError, match=f"the {said} cannot be inverted"):
            list(plan_scores(corpus, queries, settings).write({"siqa": tmp_path}))


# With a real model


@METHODS
def test_a_document_of_high_score_lowers_the_querys_loss_when_learned(
    collect: Maker, of: Of, sequences: Dataset, tiny_model: Any, method: str
) -> None:
    """The sign, from end to end: predicted by the score, checked by a step on each document."""
    query = sequences.select([3]).rename_column("doc_id", "item").add_column("block", [0])
    # So much damping leaves the plain inner product of gradients, which is what one small step obeys.
    corpus, queries = collect(sequences, projection_dim=16), collect(query, "item", projection_dim=16)
    scores = of(corpus, queries, method, damping=1e6, target_component=1)
    assert scores.argmax() == 3
    assert scores[3] > 0
    start = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    target = torch.tensor(query["input_ids"])
    before = float(tiny_model(input_ids=target, labels=target).loss.detach())
    drops = []
    for row in sequences:
        tiny_model.load_state_dict(start)
        ids = torch.tensor([row["input_ids"]])
        loss = tiny_model(input_ids=ids, labels=ids).loss * (row["length"] - 1)
        weights = [value for name, value in tiny_model.named_parameters() if "_proj" in name]
        gradients = torch.autograd.grad(loss, weights)
        cosine = method in ("trackstar", "gradient_cosine")
        size = float(torch.stack([gradient.norm() for gradient in gradients]).norm()) if cosine else 1.0
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(1e-5 * gradient / size)
            drops.append(before - float(tiny_model(input_ids=target, labels=target).loss))
    assert np.corrcoef(drops, scores)[0, 1] > 0.9


def _passages(count: int, vocabulary: int, seed: int, shortest: int = 12, longest: int = 40) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(3, vocabulary, size=rng.integers(shortest, longest)).tolist() for _ in range(count)]


def _sides(documents: list[list[int]], queries: list[list[int]], answers: list[int]) -> tuple[Dataset, Dataset]:
    """Return documents, and queries with loss on as many tokens at their end."""
    lengths = [len(ids) for ids in documents]
    corpus = {"doc_id": [f"d{number:03d}" for number in range(len(documents))], "bin_rank": [0] * len(documents)}
    labels = [[-100] * (len(ids) - last) + ids[-last:] for ids, last in zip(queries, answers, strict=True)]
    asked = {"item": [f"q{number}" for number in range(len(queries))], "block": list(range(len(queries)))}
    return (
        Dataset.from_dict({**corpus, "input_ids": documents, "length": lengths}),
        Dataset.from_dict({**asked, "input_ids": queries, "labels": labels, "length": [len(ids) for ids in queries]}),
    )


@pytest.fixture
def attribute(score: Score, tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return a function from a model's folder and both sides to trackstar's scores, documents x queries."""

    def run(folder: Path, sides: tuple[Dataset, Dataset], gradients: GradientSettings, **changed: Any) -> np.ndarray:
        model = LanguageModel(str(folder))
        stores = [PartsFolder(path=str(tmp_path / name)) for name in ("corpus", "queries")]
        stores[0].save(plan_corpus(sides[0], model, gradients, Distributed()))
        stores[1].save(plan_queries({"siqa.items": sides[1]}, model, gradients, Distributed()))
        parts = score(GradientStore(stores[0].load()), query_stores(stores[1].load()), **changed)
        return _of(parts, "trackstar", BLOCKS)

    return run


@pytest.mark.slow
def test_a_query_that_is_the_end_of_a_memorised_document_ranks_it_first(
    attribute: Callable[..., np.ndarray], tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    documents = _passages(12, 300, seed=0, shortest=16, longest=24)
    halves = [len(ids) // 2 for ids in documents]
    tiny_model.train()
    optimiser = torch.optim.AdamW(tiny_model.parameters(), lr=1e-2, weight_decay=0.0)
    for _ in range(40):
        optimiser.zero_grad()
        losses = [tiny_model(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss for ids in documents]
        torch.stack(losses).mean().backward()
        optimiser.step()
    sides = _sides(documents, documents, halves)
    for ids, labels in zip(sides[1]["input_ids"], sides[1]["labels"], strict=True):
        assert float(tiny_model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.detach()) < 0.1
    TrainedModel(tiny_model.eval(), tiny_tokenizer).save(tmp_path / "memorised")
    settings = GradientSettings(projection_dim=16, max_tokens=64, token_batch=128)
    scores = attribute(tmp_path / "memorised", sides, settings, target_component=62)
    assert scores.argmax(axis=0).tolist() == list(range(12))


@pytest.mark.slow
def test_bergsons_own_trackstar_gives_the_same_scores(
    attribute: Callable[..., np.ndarray], tiny_model_folder: Path, tmp_path: Path
) -> None:
    """Its second moments, its mixing, its preconditioner and its scores, over the same sequences."""
    from scipy.stats import spearmanr

    queries = _passages(12, 300, seed=2)
    sides = _sides(_passages(80, 300, seed=1), queries, [1 + place % 5 for place in range(12)])
    gradients = GradientSettings(projection_dim=8, max_tokens=64, token_batch=256)
    ours = attribute(tiny_model_folder, sides, gradients, damping=0.1, target_component=20, winsorise=None)
    theirs = _bergson(tiny_model_folder, sides, gradients, tmp_path)
    assert ours.shape == theirs.shape == (80, 12)
    for one, other in ((ours.mean(axis=1), theirs.mean(axis=1)), *zip(ours.T, theirs.T, strict=True)):
        assert spearmanr(one, other).statistic >= 0.999
        assert np.abs(one - other).max() < 1e-4 * np.abs(other).max()  # 3e-6 as measured


def _bergson(folder: Path, sides: tuple[Dataset, Dataset], gradients: GradientSettings, path: Path) -> np.ndarray:
    """Return the scores of Bergson's whole chain, documents x queries."""
    from social_provenance.gradients.walk.bergson_run import index_config, quiet

    with quiet():
        from bergson.cli.trackstar import trackstar
        from bergson.config.config import DataConfig, InversionConfig, PreprocessConfig, QuerySetConfig, TrackstarConfig
        from bergson.data import load_scores

        for name, rows in zip(("corpus", "queries"), sides, strict=True):
            rows.save_to_disk(str(path / f"{name}.hf"))
        config = index_config(LanguageModel(str(folder)), gradients, path / "trackstar", Distributed())
        config.data = DataConfig(dataset=str(path / "corpus.hf"))
        how = TrackstarConfig(
            query=QuerySetConfig(dataset=str(path / "queries.hf"), aggregation="none"),
            preprocess_cfg=PreprocessConfig(unit_normalize=True, inversion_cfg=InversionConfig(damping_factor=0.1)),
            target_downweight_components=20,
            stats_sample_size=None,
        )
        trackstar(config, how)
        return np.array(load_scores(path / "trackstar" / "scores")[:], dtype=np.float64)
