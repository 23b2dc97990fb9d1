"""Recall by one method, order by another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from board.rerank import RECALL, RERANK, rerank


def _scores(recall: list[float], again: list[float]) -> tuple[pd.DataFrame, list[str]]:
    ids = [f"d{number}" for number in range(len(recall))]
    rows = [
        pd.DataFrame({"doc_id": ids, "benchmark": "quiz", "method": method, "score": values})
        for method, values in ((RECALL, recall), (RERANK, again))
    ]
    return pd.concat(rows), ids


def test_what_is_recalled_comes_first_in_the_order_of_the_second_method() -> None:
    scores, ids = _scores([4, 3, 2, 1, 0], [0, 1, 9, 9, 9])
    assert rerank(scores, ids, 0.4)["quiz"] == pytest.approx([0.75, 1, 0.5, 0.25, 0])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), st.integers()), min_size=2, max_size=30, unique_by=(lambda one: one[0])))
def test_all_recalled_is_the_second_method_and_one_recalled_is_the_first(pairs: list[tuple[int, int]]) -> None:
    recall, again = ([float(value) for value in side] for side in zip(*pairs, strict=True))
    scores, ids = _scores(recall, again)
    every, one = rerank(scores, ids, 1.0)["quiz"], rerank(scores, ids, 0.0)["quiz"]
    assert (np.diff(np.array(again)[np.argsort(-every)]) <= 0).all()
    assert (np.diff(np.array(recall)[np.argsort(-one)]) <= 0).all()
