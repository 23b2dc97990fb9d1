"""Baselines over a whole corpus: the same from all documents at once, by hand, whatever comes in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from social_provenance.gradients.methods.baseline_scores import Texts, plan_baselines

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.score_files import BLOCKS, NULLS, SCORES
from social_provenance.gradients.settings import BASELINES, ScoringSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]
    Score = Callable[..., dict[str, Path]]

VOCABULARY = 40
DOCUMENTS = 30
BLOCKS_OF = {"siqa": [0, 2, 1, 0, 2, 2, 0], "arc": [1, 0, 0, 1]}


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
def texts(make_store: Maker, table: pd.DataFrame) -> Texts:
    gradients = {
        benchmark: {
            variant: make_store(len(blocks), seed=len(blocks) + place, blocks=blocks, ids=_items(benchmark))
            for place, variant in enumerate(["items", "shuffled_answers"])
        }
        for benchmark, blocks in BLOCKS_OF.items()
    }
    return Texts(_tokens(), make_store(DOCUMENTS, shards=3), table, gradients, VOCABULARY)


@pytest.fixture
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    def run(texts: Texts, **changed: Any) -> dict[str, Path]:
        folder = PartsFolder(path=str(tmp_path_factory.mktemp("baselines")))
        folder.save(plan_baselines(texts, _settings(**changed)))
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


def _direct(texts: Texts, benchmark: str, method: str) -> np.ndarray:
    """Return documents x queries."""
    documents = texts.tokens["input_ids"][:]
    own = texts.queries[(texts.queries["benchmark"] == benchmark) & (texts.queries["variant"] == "items")]
    queries = [prompt + answer for prompt, answer in zip(own["prompt_ids"], own["answer_ids"], strict=True)]
    if method == "bm25":
        return np.array([_bm25(documents, query) for query in queries]).T
    if method == "embedding":
        return np.asarray(_states(texts.corpus) @ _states(texts.gradients[benchmark]["items"]).T)
    lengths = np.array([len(row) for row in documents], dtype=float)
    values = lengths if method == "length" else np.arange(len(documents)) / (lengths - 1)
    return np.repeat(values[:, None], len(queries), axis=1)


def test_scores_are_those_of_all_documents_at_once(texts: Texts, score: Score) -> None:
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


def test_nulls_have_no_baseline(texts: Texts, score: Score) -> None:
    parts = score(texts)
    assert _read(parts, NULLS).empty
    without = Texts(
        texts.tokens,
        texts.corpus,
        texts.queries[texts.queries["variant"] == "items"],
        {benchmark: {"items": variants["items"]} for benchmark, variants in texts.gradients.items()},
        VOCABULARY,
    )
    pd.testing.assert_frame_equal(_read(score(without)), _read(parts))


@pytest.mark.parametrize("chunk", [1, 10, 1000])
def test_pieces_and_orders_do_not_matter(
    texts: Texts, score: Score, make_store: Maker, table: pd.DataFrame, chunk: int
) -> None:
    order = np.random.default_rng(0).permutation(DOCUMENTS)
    other = Texts(
        texts.tokens.select(order),
        make_store(DOCUMENTS),
        table.sample(frac=1, random_state=0),
        texts.gradients,
        VOCABULARY,
    )
    usual, changed = score(texts), score(other, chunk=chunk)
    for name in (SCORES, BLOCKS):  # cosines are of fp32
        pd.testing.assert_frame_equal(_read(changed, name), _read(usual, name), rtol=1e-6, atol=1e-6)


def test_a_loss_that_is_a_mean_already_is_not_divided_again(texts: Texts, score: Score, make_store: Maker) -> None:
    mean = Texts(texts.tokens, make_store(DOCUMENTS, loss_reduction="mean"), texts.queries, texts.gradients, VOCABULARY)
    found = _read(score(mean)).loc["siqa", "loss"]
    np.testing.assert_allclose(found["score"], np.arange(DOCUMENTS), rtol=1e-12)


@pytest.mark.parametrize("method", BASELINES)
def test_only_the_baselines_asked_for_are_computed(texts: Texts, score: Score, method: str) -> None:
    alone = _read(score(texts, methods=["trackstar", method], default_method="trackstar"))
    assert set(alone.index.get_level_values("method")) == {method}
    together = _read(score(texts)).loc[(slice(None), method), :]
    pd.testing.assert_frame_equal(alone.sort_index(), together.sort_index())


def test_without_baselines_there_are_no_parts(texts: Texts, score: Score) -> None:
    assert score(texts, methods=["trackstar"], default_method="trackstar") == {}


def test_a_benchmark_added_later_computes_its_own_part(texts: Texts, score: Score, tmp_path: Path) -> None:
    folder = PartsFolder(path=str(tmp_path / "later"))
    first = Texts(texts.tokens, texts.corpus, texts.queries, {"siqa": texts.gradients["siqa"]}, VOCABULARY)
    folder.save(plan_baselines(first, _settings()))
    before = {path: path.stat().st_mtime_ns for path in folder.load()["siqa"].iterdir()}
    folder.save(plan_baselines(texts, _settings()))
    assert {path: path.stat().st_mtime_ns for path in folder.load()["siqa"].iterdir()} == before
    pd.testing.assert_frame_equal(_read(folder.load()), _read(score(texts)))


def test_a_document_without_tokens_is_named(texts: Texts, tmp_path: Path) -> None:
    short = Texts(texts.tokens.select(range(20)), texts.corpus, texts.queries, texts.gradients, VOCABULARY)
    with pytest.raises(AttributionError, match="document 'd020' has a gradient and no tokens: run the attribution"):
        list(plan_baselines(short, _settings()).write({"siqa": tmp_path}))
