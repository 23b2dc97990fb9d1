"""Scores on disk: one part for each benchmark, written chunk by chunk so that memory stays bounded."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

SCORES, BLOCKS, NULLS = "scores.parquet", "blocks.parquet", "nulls.parquet"
SUMMARY, AUDIT = "summary.json", "preconditioner.parquet"


def _schemas() -> dict[str, Any]:
    import pyarrow as pa

    key = [("doc_id", pa.string()), ("benchmark", pa.string()), ("method", pa.string())]
    score = ("score", pa.float64())
    return {
        SCORES: pa.schema([*key, score, ("loss", pa.float64()), ("grad_norm", pa.float64())]),
        BLOCKS: pa.schema([*key, ("blocks", pa.list_(pa.float32()))]),
        NULLS: pa.schema([*key, ("variant", pa.string()), score]),
    }


class ScoreWriter:
    """Writes the scores of one benchmark.

    ``scores.parquet`` has the score of each document by each method, ``blocks.parquet`` its mean over
    each query block, ``nulls.parquet`` the scores by which items and nulls are compared.
    """

    def __init__(self, folder: Path, benchmark: str) -> None:
        """Write into the folder of a part."""
        self._folder, self._benchmark = folder, benchmark
        self._stack = ExitStack()
        self._schemas: dict[str, Any] = {}
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        self._schemas = _schemas()
        for name, schema in self._schemas.items():
            self._files[name] = self._stack.enter_context(pq.ParquetWriter(self._folder / name, schema))
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)

    def write(self, rows: pd.DataFrame, method: str, blocks: np.ndarray, sizes: np.ndarray) -> None:
        """Append the scores of some documents for the benchmark's items.

        Args:
            rows: ``id``, ``loss``, ``norm`` of each document.
            method: Name of the method.
            blocks: Mean score over the queries of a block, documents x blocks.
            sizes: Number of queries of each block.
        """
        columns = self._names(rows, method)
        score = _mean(blocks, sizes)
        self._append(SCORES, {**columns, "score": score, "loss": rows["loss"], "grad_norm": rows["norm"]})
        self._append(BLOCKS, {**columns, "blocks": list(blocks.astype("float32"))})

    def write_compared(
        self, rows: pd.DataFrame, method: str, variant: str, blocks: np.ndarray, sizes: np.ndarray
    ) -> None:
        """Append the scores of some documents by which the items and the nulls are compared.

        Args:
            rows: ``id`` of each document.
            method: Name of the method.
            variant: Items or null.
            blocks: Mean over the queries of a block, each scaled to norm 1, documents x blocks.
            sizes: Number of queries of each block.
        """
        columns = self._names(rows, method)
        self._append(NULLS, {**columns, "variant": [variant] * len(rows), "score": _mean(blocks, sizes)})

    def _names(self, rows: pd.DataFrame, method: str) -> dict[str, Any]:
        names = {"benchmark": [self._benchmark] * len(rows), "method": [method] * len(rows)}
        return {"doc_id": rows["id"].to_numpy(object), **names}

    def _append(self, name: str, columns: dict[str, Any]) -> None:
        import pyarrow as pa

        self._files[name].write_table(pa.table(columns, schema=self._schemas[name]))


def _mean(blocks: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the mean over all queries, from the means of blocks."""
    mean: np.ndarray = blocks.astype("float64") @ (sizes / sizes.sum())
    return mean


KEY = ("variant", "benchmark", "method", "doc_id")
"""Columns that are unique together, in the order by which rows are sorted."""


def gather(folders: Iterable[Path], name: str) -> Any:
    """Return one table of all parts as an Ibis expression over their files, in the order of its key.

    Args:
        folders: Folders of the parts.
        name: ``SCORES``, ``BLOCKS`` or ``NULLS``.
    """
    import ibis
    from pyarrow.dataset import dataset

    table = ibis.memtable(dataset([str(folder / name) for folder in folders]))
    return table.order_by([column for column in KEY if column in table.columns])


def as_null(folders: Iterable[Path], variant: str) -> Any:
    """Return the scores of the items, as they are compared with nulls, under the name of a null (Ibis expression)."""
    import ibis

    scores = gather(folders, NULLS)
    items = scores.filter(scores.variant == ITEMS)
    named = items.select("doc_id", "benchmark", "method", variant=ibis.literal(variant), score=items.score)
    return named.order_by([column for column in KEY if column in named.columns])


def describe(parts: Mapping[str, Path]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return a summary of the comparison, and the audit of all preconditioners.

    Args:
        parts: Benchmark -> folder of its scores.
    """
    import pandas as pd

    summaries = {name: json.loads((folder / SUMMARY).read_text()) for name, folder in parts.items()}
    shared = next(iter(summaries.values()))["corpus"]
    benchmarks = {name: summary["benchmark"] for name, summary in summaries.items()}
    audit = pd.concat([pd.read_parquet(folder / AUDIT) for folder in parts.values()], ignore_index=True)
    names = ["benchmark", "variant"]
    return {**shared, "benchmarks": benchmarks}, audit[[*names, *audit.columns.drop(names)]]
