"""Requests have one gold choice an item; scores are one a document, benchmark and method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from social_provenance.errors import ArtifactError
from social_provenance.schemas.attribution import (
    BenchmarkRequests,
    BlockScores,
    DocumentScores,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.schemas.large import LargeTable


@pytest.fixture
def requests() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "benchmark": "quiz",
            "item": "quiz/0",
            "cluster": "a",
            "choice": [0, 1],
            "is_gold": [True, False],
            "prompt": "p",
            "completion": [" a", " b"],
            "prompt_ids": [[1], [1]],
            "completion_ids": [[2], [3]],
            "normalisation": "none",
            "units": 1,
            "use": "both",
        }
    )


def test_an_item_has_one_gold_choice(refuses: Callable[..., None], requests: pd.DataFrame) -> None:
    refuses(BenchmarkRequests, requests, "is_gold", value=False, message="every item has one gold choice")


def test_a_cluster_has_one_use(refuses: Callable[..., None], requests: pd.DataFrame) -> None:
    refuses(BenchmarkRequests, requests, "use", "attribution", "a cluster is for one use")


SCORED = {"doc_id": ["a", "b"], "benchmark": ["quiz"] * 2, "method": ["trackstar"] * 2}
TABLES: dict[str, tuple[LargeTable, dict[str, Any]]] = {
    "scores": (DocumentScores(), {**SCORED, "score": [0.5, -0.5], "loss": [3.0, 2.0], "grad_norm": [1.0, 2.0]}),
    "blocks": (BlockScores(), {**SCORED, "blocks": np.array([[0.5, 1.0], [2.0, 3.0]], dtype="f4").tolist()}),
}


def _table(name: str, **changed: Any) -> Any:
    columns = TABLES[name][1] | changed
    kinds = {"blocks": pa.list_(pa.float32())}
    return ibis.memtable(pa.table({key: pa.array(values, kinds.get(key)) for key, values in columns.items()}))


@pytest.mark.parametrize(
    ("name", "column", "values", "message"),
    [
        ("scores", "score", [float("nan"), None], "2 rows where not: score is a number"),
        ("scores", "benchmark", ["quiz", None], "1 rows where not: benchmark is there"),
        ("blocks", "blocks", [[], [1.0]], "1 rows where not: a block is there"),
    ],
)
def test_score_faults(name: str, column: str, values: list[Any], message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        TABLES[name][0].validate(_table(name, **{column: values}))
