"""Scores, labels and blocks of different runs are refused in one line that names what differs."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.maps.scored import (
    Scored,
    block_weights,
    check_blocks,
    gather_scored,
    read_blocks,
    read_scores,
    widen,
)

IDS = ["b", "a", "c"]


def _table_of_scores(**changed: float) -> pd.DataFrame:
    values = {"a": 1.0, "b": 2.0, "c": 3.0} | changed
    return pd.DataFrame({"doc_id": IDS, "benchmark": "quiz", "method": "trackstar", "score": [values[i] for i in IDS]})


def _scores(**changed: float) -> pd.DataFrame:
    return widen(_table_of_scores(**changed))


def _labels(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"doc_id": IDS, "topic": "games", "format": ["faq", "faq", "listicle"], **columns})


@pytest.fixture
def scored() -> Scored:
    return gather_scored(_scores(), _labels())


def test_documents_stand_in_the_order_of_their_ids(scored: Scored) -> None:
    assert scored.ids.tolist() == ["a", "b", "c"]
    assert scored.scores[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert scored.columns == [("quiz", "trackstar")]
    assert scored.bins[0] == scored.bins[1] != scored.bins[2]


def test_a_document_without_a_cluster_is_its_own() -> None:
    own = gather_scored(_scores(), _labels()).hashes
    np.testing.assert_array_equal(gather_scored(_scores(), _labels(cluster_id=IDS)).hashes, own)
    shared = gather_scored(_scores(), _labels(cluster_id=["site", "site", None])).hashes
    assert shared[0] == shared[1]
    assert shared[2] == own[2]


def test_a_scored_document_that_is_not_in_the_working_set_is_refused_with_both_digests() -> None:
    with pytest.raises(
        AttributionError, match=r"'c' \(and 0 more\) .* scores \(digest \w+\) and labels \(digest \w+\)"
    ):
        gather_scored(_scores(), _labels().iloc[:2])


def test_a_document_of_the_sample_without_a_score_is_refused() -> None:
    ranked = _labels(bin_rank=[0, 1, 0])
    with pytest.raises(AttributionError, match=r"document 'c' \(and 0 more\) is in the working set and has no score"):
        gather_scored(_scores().loc[["a", "b"]], ranked)


def test_scores_of_a_smaller_nested_sample_are_welcome() -> None:
    assert gather_scored(_scores().loc[["b", "c"]], _labels(bin_rank=[0, 1, 0])).ids.tolist() == ["b", "c"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(
        AttributionError, match=f"'b' has no score for benchmark 'quiz' under 'trackstar' .it is {value}"
    ):
        gather_scored(_scores(b=value), _labels())


def test_scores_are_read_a_column_at_a_time_as_they_stand() -> None:
    first = _table_of_scores()
    both = pd.concat([first, first.assign(method="influence", score=[9.0, 8.0, 7.0])], ignore_index=True)
    found = read_scores(ibis.memtable(both.sample(frac=1, random_state=0)))
    assert found.columns.tolist() == [("quiz", "influence"), ("quiz", "trackstar")]
    for column in found:
        np.testing.assert_array_equal(found[column], widen(both)[column])
    assert found.index.tolist() == ["a", "b", "c"]


def test_a_document_that_one_column_lacks_is_refused() -> None:
    first = _table_of_scores()
    both = pd.concat([first, first.assign(method="influence").iloc[:2]], ignore_index=True)
    with pytest.raises(AttributionError, match="'c' has no score for benchmark 'quiz' under 'influence'"):
        gather_scored(read_scores(ibis.memtable(both)), _labels())


BLOCKS = np.array([[2.0, 2.0], [1.0, 1.0], [0.0, 6.0]], dtype=np.float32)
HALF = np.array([0.5, 0.5])


def test_blocks_are_put_into_the_order_of_the_documents(scored: Scored) -> None:
    found = check_blocks(scored, 0, np.array(IDS, dtype=object), BLOCKS, HALF)
    np.testing.assert_array_equal(found, BLOCKS[[1, 0, 2]])


@pytest.mark.parametrize(
    ("ids", "blocks", "weights", "message"),
    [
        (["b", "a"], BLOCKS[:2], HALF, "are of 2 documents .digest .* document_scores of 3 .digest .* different runs"),
        (["b", "a", "x"], BLOCKS, HALF, "are of 3 documents .* different runs"),
        (IDS, BLOCKS, np.full(4, 0.25), "have 2 blocks and its queries 4"),
        (IDS, BLOCKS + np.float32(1), HALF, "of document 'a' have the mean 2 and its score is 1"),
        (IDS, BLOCKS * np.float32("nan"), HALF, "of document 'a' have the mean nan"),
    ],
    ids=["fewer", "others", "queries", "scores", "no number"],
)
def test_blocks_of_another_run_are_refused(
    scored: Scored, ids: list[str], blocks: np.ndarray, weights: np.ndarray, message: str
) -> None:
    with pytest.raises(AttributionError, match=f"block_scores of 'quiz' under 'trackstar'.*{message}"):
        check_blocks(scored, 0, np.array(ids, dtype=object), blocks, weights)


def test_a_block_weighs_as_its_queries() -> None:
    queries = pd.DataFrame({"benchmark": ["quiz"] * 4 + ["puzzle"], "block": [0, 1, 1, 1, 0]})
    found = block_weights(queries)
    np.testing.assert_allclose(found["quiz"], [0.25, 0.75])
    np.testing.assert_allclose(found["puzzle"], [1.0])


def _table(blocks: list[list[float]]) -> Any:
    rows = {"doc_id": IDS, "benchmark": ["quiz"] * 3, "method": ["trackstar"] * 3}
    arrays = {name: pa.array(values) for name, values in rows.items()}
    return ibis.memtable(pa.table({**arrays, "blocks": pa.array(blocks, pa.list_(pa.float32()))}))


def test_blocks_of_one_column_are_read() -> None:
    found = read_blocks(_table(BLOCKS.tolist()), ("quiz", "trackstar"))
    assert found is not None
    ids, blocks = found
    order = [ids.tolist().index(name) for name in IDS]
    np.testing.assert_array_equal(blocks[order], BLOCKS)
    assert read_blocks(_table(BLOCKS.tolist()), ("quiz", "length")) is None


def test_documents_with_different_numbers_of_blocks_are_refused() -> None:
    with pytest.raises(AttributionError, match="documents have 1 to 2 blocks"):
        read_blocks(_table([[1.0, 2.0], [1.0], [1.0, 2.0]]), ("quiz", "trackstar"))
