"""Baselines over a whole corpus: the same from all documents at once, by hand, whatever comes in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.score_files import BLOCKS, NULLS, SCORES
from social_provenance.gradients.methods.scoring import plan_text_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.methods.text_methods import (
    Queries,
    TextCorpus,
    TextMethod,
    Texts,
    block_means,
    nats_per_token,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from social_provenance.artifacts import Parts
    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]
    Score = Callable[..., dict[str, Path]]

BASELINES = ("bm25", "embedding", "length", "loss")
VOCABULARY = 40
DOCUMENTS = 30
BLOCKS_OF = {"siqa": [0, 2, 1, 0, 2, 2, 0], "arc": [1, 0, 0, 1]}


def _plan(texts: TextCorpus, **changed: Any) -> Parts:
    settings = _settings(**changed)
    return plan_text_scores(replace(texts, chunk=settings.chunk), settings)


def _settings(**changed: Any) -> ScoringSettings:
    return ScoringSettings(**{"methods": BASELINES, "default_method": BASELINES[0], "chunk": 7, **changed})


def _ids(count: int, seed: int) -> list[int]:
    """Return token ids, frequent ones low."""
    return [int(token) for token in np.random.default_rng(seed).geometric(0.15, size=count) % VOCABULARY]


def _tokens(count: int = DOCUMENTS) -> Dataset:
    """Return as many tokens of each document as a made store says."""
    ids = [_ids(number + 2, seed=number) for number in range(count)]
    return Dataset.from_dict({"doc_id": [f"d{number:03d}" for number in range(count)], "input_ids": ids})


def _items(benchmark: str) -> list[str]:
    return [f"{benchmark}-{number}" for number in range(len(BLOCKS_OF[benchmark]))]


@pytest.fixture
def table() -> pd.DataFrame:
    """Return queries of two benchmarks, with a null that must not count."""
    rows = []
    for benchmark, blocks in BLOCKS_OF.items():
        for variant in ("items", "shuffled_answers"):
            for item, block in zip(_items(benchmark), blocks, strict=True):
                seed = sum(map(ord, variant + item))
                rows.append((benchmark, variant, item, item, block, _ids(9, seed), _ids(2, seed + 1)))
    return pd.DataFrame(rows, columns=["benchmark", "variant", "item", "cluster", "block", "prompt_ids", "answer_ids"])


@pytest.fixture
def texts(make_store: Maker, table: pd.DataFrame) -> TextCorpus:
    gradients = {
        benchmark: {
            variant: make_store(len(blocks), seed=len(blocks) + place, blocks=blocks, ids=_items(benchmark))
            for place, variant in enumerate(["items", "shuffled_answers"])
        }
        for benchmark, blocks in BLOCKS_OF.items()
    }
    return TextCorpus(_tokens(), make_store(DOCUMENTS, shards=3), table, gradients, VOCABULARY)


@pytest.fixture
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    def run(texts: TextCorpus, **changed: Any) -> dict[str, Path]:
        folder = PartsFolder(path=str(tmp_path_factory.mktemp("baselines")))
        folder.save(_plan(texts, **changed))
        return folder.load()

    return run


def _read(parts: Mapping[str, Path], name: str = SCORES) -> pd.DataFrame:
    """Return the rows of all parts by benchmark, method and document."""
    table = pd.concat([pd.read_parquet(folder / name) for folder in parts.values()])
    return table.set_index(["benchmark", "method", "doc_id"]).sort_index()


def _states(store: GradientStore) -> np.ndarray:
    states = np.concatenate([states for _, states in store.states()]).astype(np.float64)
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def _bm25(documents: Sequence[Sequence[int]], query: Sequence[int]) -> np.ndarray:
    """Write the formula down over counts of all tokens."""
    counts = np.array([np.bincount(row, minlength=VOCABULARY) for row in documents], dtype=float)
    holders, lengths = (counts > 0).sum(axis=0), counts.sum(axis=1, keepdims=True)
    idf = np.log(1 + (len(counts) - holders + 0.5) / (holders + 0.5))
    weights = idf * counts / (counts + 1.2 * (0.25 + 0.75 * lengths / lengths.mean()))
    return np.asarray(weights @ np.bincount(query, minlength=VOCABULARY))


def _direct(texts: TextCorpus, benchmark: str, method: str) -> np.ndarray:
    """Return documents x queries."""
    documents = texts.tokens["input_ids"][:]
    own = texts.queries[(texts.queries["benchmark"] == benchmark) & (texts.queries["variant"] == "items")]
    queries = [prompt + answer for prompt, answer in zip(own["prompt_ids"], own["answer_ids"], strict=True)]
    if method == "bm25":
        return np.array([_bm25(documents, query) for query in queries]).T
    if method == "embedding":
        return np.asarray(_states(texts.store) @ _states(texts.gradients[benchmark]["items"]).T)
    lengths = np.array([len(row) for row in documents], dtype=float)
    values = lengths if method == "length" else np.arange(len(documents)) / (lengths - 1)
    return np.repeat(values[:, None], len(queries), axis=1)


def test_scores_are_those_of_all_documents_at_once(texts: TextCorpus, score: Score) -> None:
    parts = score(texts)
    assert list(parts) == ["siqa", "arc"]
    scores, means = _read(parts), _read(parts, BLOCKS)
    assert len(scores) == len(means) == DOCUMENTS * 2 * len(BASELINES)
    for benchmark, blocks in BLOCKS_OF.items():
        for method in BASELINES:
            expected = _direct(texts, benchmark, method)
            found = scores.loc[benchmark, method]
            assert found.index.tolist() == texts.tokens["doc_id"][:]
            np.testing.assert_allclose(found["score"], expected.mean(axis=1), rtol=1e-5, atol=1e-6)
            assert found["loss"].tolist() == list(range(DOCUMENTS))
            parted = [expected[:, np.array(blocks) == block].mean(axis=1) for block in range(max(blocks) + 1)]
            stacked = np.stack(means.loc[benchmark, method]["blocks"])
            np.testing.assert_allclose(stacked, np.array(parted).T, rtol=1e-5, atol=1e-6)


def test_nulls_have_no_baseline(texts: TextCorpus, score: Score) -> None:
    parts = score(texts)
    assert _read(parts, NULLS).empty
    without = TextCorpus(
        texts.tokens,
        texts.store,
        texts.queries[texts.queries["variant"] == "items"],
        {benchmark: {"items": variants["items"]} for benchmark, variants in texts.gradients.items()},
        VOCABULARY,
    )
    pd.testing.assert_frame_equal(_read(score(without)), _read(parts))


@pytest.mark.parametrize("chunk", [1, 10, 1000])
def test_pieces_and_orders_do_not_matter(
    texts: TextCorpus, score: Score, make_store: Maker, table: pd.DataFrame, chunk: int
) -> None:
    order = np.random.default_rng(0).permutation(DOCUMENTS)
    other = TextCorpus(
        texts.tokens.select(order),
        make_store(DOCUMENTS),
        table.sample(frac=1, random_state=0),
        texts.gradients,
        VOCABULARY,
    )
    usual, changed = score(texts), score(other, chunk=chunk)
    for name in (SCORES, BLOCKS):  # cosines are of fp32
        pd.testing.assert_frame_equal(_read(changed, name), _read(usual, name), rtol=1e-6, atol=1e-6)


def test_a_loss_that_is_a_mean_already_is_not_divided_again(texts: TextCorpus, score: Score, make_store: Maker) -> None:
    mean = TextCorpus(
        texts.tokens, make_store(DOCUMENTS, loss_reduction="mean"), texts.queries, texts.gradients, VOCABULARY
    )
    found = _read(score(mean)).loc["siqa", "loss"]
    np.testing.assert_allclose(found["score"], np.arange(DOCUMENTS), rtol=1e-12)


@pytest.mark.parametrize("method", BASELINES)
def test_only_the_baselines_asked_for_are_computed(texts: TextCorpus, score: Score, method: str) -> None:
    alone = _read(score(texts, methods=["trackstar", method], default_method="trackstar"))
    assert set(alone.index.get_level_values("method")) == {method}
    together = _read(score(texts)).loc[(slice(None), method), :]
    pd.testing.assert_frame_equal(alone.sort_index(), together.sort_index())


def test_without_baselines_there_are_no_parts(texts: TextCorpus, score: Score) -> None:
    assert score(texts, methods=["trackstar"], default_method="trackstar") == {}


def test_a_benchmark_added_later_computes_its_own_part(texts: TextCorpus, score: Score, tmp_path: Path) -> None:
    folder = PartsFolder(path=str(tmp_path / "later"))
    first = TextCorpus(texts.tokens, texts.store, texts.queries, {"siqa": texts.gradients["siqa"]}, VOCABULARY)
    folder.save(_plan(first))
    before = {path: path.stat().st_mtime_ns for path in folder.load()["siqa"].iterdir()}
    folder.save(_plan(texts))
    assert {path: path.stat().st_mtime_ns for path in folder.load()["siqa"].iterdir()} == before
    pd.testing.assert_frame_equal(_read(folder.load()), _read(score(texts)))


def test_a_document_without_tokens_is_named(texts: TextCorpus, tmp_path: Path) -> None:
    short = TextCorpus(texts.tokens.select(range(20)), texts.store, texts.queries, texts.gradients, VOCABULARY)
    with pytest.raises(AttributionError, match="document 'd020' has a gradient and no tokens: run the attribution"):
        list(_plan(short).write({"siqa": tmp_path}))


@pytest.mark.parametrize(
    "change", [{"damping": 0.3}, {"chunk": 3}, {"methods": ["loss", "bm25", "embedding", "length"]}]
)
def test_settings_of_other_methods_and_the_order_of_names_change_no_part(texts: TextCorpus, change: Any) -> None:
    assert _plan(texts, **change).digests == _plan(texts).digests
    assert _plan(texts, methods=["bm25", "length"]).digests != _plan(texts).digests


@pytest.mark.parametrize(("blocks", "empty"), [([0, 2], 1), ([1, 1], 0), ([], 0)])
def test_a_block_without_queries_is_refused(blocks: list[int], empty: int) -> None:
    message = f"query block {empty} has no query: number the blocks from 0 without gaps"
    queries = Queries([[1]] * len(blocks), np.ones((len(blocks), 2)), blocks)
    with pytest.raises(AttributionError, match=message):
        _ = queries.block_sizes
    with pytest.raises(AttributionError, match=message):
        block_means(blocks)


def test_inputs_of_different_length_are_refused() -> None:
    tokens, states, losses = [[1, 2]] * 40, np.ones((40, 3)), np.ones(40)
    with pytest.raises(
        AttributionError, match=r"the documents do not belong together \(40 tokens, 39 states, 40 losses"
    ):
        Texts(tokens, states[1:], losses)
    with pytest.raises(AttributionError, match="40 states, 39 losses"):
        Texts(tokens, states, losses[1:])
    with pytest.raises(AttributionError, match=r"the queries do not belong together \(40 tokens, 40 states, 6 blocks"):
        Queries(tokens, states, [0] * 6)


def test_features_are_computed_once_for_all_benchmarks() -> None:
    class Counted(TextMethod):
        name = "counted"
        calls = 0

        def compute_features(self, texts: Texts) -> np.ndarray:
            type(self).calls += 1
            return np.array([[len(row)] for row in texts.tokens], dtype=float)

    documents = Texts([[1, 2], [3]], np.ones((2, 3)), np.ones(2))
    first, second = (Counted().describe(documents, None) for _ in range(2))
    assert Counted.calls == 1
    assert (first == [[2.0], [1.0]]).all()
    assert first is second


def test_a_loss_per_token_does_not_depend_on_how_losses_are_reduced() -> None:
    """Seven tokens predict six."""
    lengths = np.array([7, 2])
    assert nats_per_token(np.array([12.0, 3.0]), lengths, "sum").tolist() == [2.0, 3.0]
    assert nats_per_token(np.array([2.0, 3.0]), lengths, "mean").tolist() == [2.0, 3.0]
