"""Scores on disk: what is written is what was given, in the tables that later stages check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from social_provenance.gradients.methods.score_files import (
    AUDIT,
    BLOCKS,
    KEY,
    NULLS,
    SCORES,
    SUMMARY,
    ScoreWriter,
    as_null,
    describe,
    gather,
)
from social_provenance.schemas.attribution import BlockScores, DocumentScores, NullScores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

SIZES = np.array([5, 1, 2])
TABLES = {SCORES: DocumentScores, BLOCKS: BlockScores, NULLS: NullScores}


def _rows(count: int, first: int = 0) -> pd.DataFrame:
    """Return rows of a store, with a left-over index as slices have it."""
    numbers = np.arange(first, first + count)
    columns = {"id": [f"d{number}" for number in numbers], "tokens": numbers + 2, "loss": numbers.astype("f4") / 7}
    return pd.DataFrame({**columns, "norm": (numbers + 1).astype("f4") / 3}, index=numbers + 100)


def _blocks(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, len(SIZES)))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes three pieces of scores, and those of a null unless told otherwise."""

    def run(benchmark: str = "siqa", method: str = "trackstar", *, null: bool = True) -> Path:
        folder = tmp_path / f"{benchmark}-{method}"
        folder.mkdir()
        with ScoreWriter(folder, benchmark) as writer:
            for first in (0, 4, 8):
                rows = _rows(4 if first < 8 else 2, first)
                writer.write(rows, method, _blocks(len(rows), first), SIZES)
                if null:
                    writer.write_compared(rows, method, "shuffled_answers", -_blocks(len(rows), first), SIZES)
        return folder

    return run


def _all_blocks() -> np.ndarray:
    return np.concatenate([_blocks(4, 0), _blocks(4, 4), _blocks(2, 8)])


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / name)


def test_the_score_is_the_mean_over_blocks_weighted_by_their_queries(write: Write) -> None:
    found = _table(write(), SCORES)
    by_query = np.repeat(_all_blocks(), SIZES, axis=1)
    np.testing.assert_allclose(found["score"], by_query.mean(axis=1), rtol=1e-12)


def test_each_row_keeps_its_document_loss_and_norm(write: Write) -> None:
    found, rows = _table(write(), SCORES), _rows(10)
    assert list(found) == ["doc_id", "benchmark", "method", "score", "loss", "grad_norm"]
    assert found["doc_id"].tolist() == rows["id"].tolist()
    assert (found["loss"].to_numpy() == rows["loss"].to_numpy()).all()
    assert (found["grad_norm"].to_numpy() == rows["norm"].to_numpy()).all()
    assert set(found["benchmark"]) == {"siqa"}
    assert set(found["method"]) == {"trackstar"}


def test_blocks_are_kept_in_single_precision(write: Write) -> None:
    found = _table(write(), BLOCKS)
    assert (np.stack(found["blocks"]) == _all_blocks().astype(np.float32)).all()
    assert found["doc_id"].tolist() == _rows(10)["id"].tolist()


def test_what_is_compared_is_apart_from_the_scores(write: Write) -> None:
    folder = write()
    nulls, scores = _table(folder, NULLS), _table(folder, SCORES)
    assert list(nulls) == ["doc_id", "benchmark", "method", "variant", "score"]
    assert set(nulls["variant"]) == {"shuffled_answers"}
    assert nulls["doc_id"].tolist() == scores["doc_id"].tolist()
    np.testing.assert_array_equal(nulls["score"], -scores["score"])
    assert len(_table(folder, BLOCKS)) == 10


@pytest.mark.parametrize("name", TABLES)
def test_each_piece_is_on_disk_before_the_next_one_comes(write: Write, name: str) -> None:
    written = pq.ParquetFile(write() / name).metadata
    assert [written.row_group(place).num_rows for place in range(written.num_row_groups)] == [4, 4, 2]


@pytest.mark.parametrize("name", TABLES)
def test_parts_together_are_the_table_that_later_stages_check(write: Write, name: str) -> None:
    folders = [write(), write("arc", null=False), write(method="influence")]
    table = TABLES[name]().validate(gather(folders, name))
    found = table.execute()
    alone = [_table(folder, name) for folder in folders]
    # A part without nulls adds none, and its file is still one of the table.
    pd.testing.assert_frame_equal(found, _by_key(pd.concat(alone)), check_dtype=False)
    assert len(found) == (20 if name == NULLS else 30)


def _by_key(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values([name for name in KEY if name in table], ignore_index=True)


def test_compared_scores_of_items_under_other_weights_become_those_of_a_null(write: Write) -> None:
    folders = [write(), write("arc")]
    for folder in folders:
        nulls = _table(folder, NULLS)
        twice = pd.concat([nulls.assign(variant="items", score=7 * nulls["score"]), nulls], ignore_index=True)
        twice.to_parquet(folder / NULLS)
    scores = pd.concat([_table(folder, NULLS).query("variant == 'items'") for folder in folders], ignore_index=True)
    table = NullScores().validate(as_null(folders, "random_weights"))
    found = table.execute()
    assert set(found["variant"]) == {"random_weights"}
    columns = ["doc_id", "benchmark", "method", "score"]
    pd.testing.assert_frame_equal(found[columns], _by_key(scores)[columns], check_dtype=False)


def test_the_audit_and_what_was_compared_are_gathered_by_benchmark(tmp_path: Path) -> None:
    parts: dict[str, Any] = {}
    for place, name in enumerate(["siqa", "arc"]):
        parts[name] = tmp_path / name
        parts[name].mkdir()
        audit = {"module": ["up", "down"], "numbers": [4, 9], "condition": [2.0, 3.0 + place]}
        pd.DataFrame(audit).assign(benchmark=name, variant="items").to_parquet(parts[name] / AUDIT)
        said = {"corpus": {"documents": 7, "outliers": 1}, "benchmark": {"queries": 5 + place}}
        (parts[name] / SUMMARY).write_text(json.dumps(said))
    summary, table = describe(parts)
    assert summary == {"documents": 7, "outliers": 1, "benchmarks": {"siqa": {"queries": 5}, "arc": {"queries": 6}}}
    assert list(table) == ["benchmark", "variant", "module", "numbers", "condition"]
    assert table["benchmark"].tolist() == ["siqa", "siqa", "arc", "arc"]
    assert table["condition"].tolist() == [2.0, 3.0, 2.0, 4.0]
