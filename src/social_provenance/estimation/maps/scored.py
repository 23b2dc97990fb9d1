"""Scored documents with their bins and clusters, as arrays; scores of other documents are an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.bootstrap.multipliers import hash_names
from social_provenance.fingerprint import digest_of
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from social_provenance.annotations import LazyTable

Column = tuple[str, str]
"""Benchmark and attribution method."""

TOLERANCE = 1e-3
"""Largest deviation of the mean of the blocks from the score, as a share of the largest score: blocks are float32."""


@dataclass(frozen=True)
class Scored:
    """Scored documents, sorted by id.

    Attributes:
        ids: ``doc_id`` of each document.
        columns: (benchmark, method) of each column.
        scores: Scores, shape (documents, columns).
        bins: Bin of each document, an index of ``BINS``.
        hashes: Hash of the cluster of each document, uint64.
        lengths: Length of each document in characters; 0 where unknown.
        confidence: Confidence of the labels of each document, 0 to 1: topic x format; 1 where unknown.
    """

    ids: np.ndarray
    columns: list[Column]
    scores: np.ndarray
    bins: np.ndarray
    hashes: np.ndarray
    lengths: np.ndarray
    confidence: np.ndarray

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays by name, and everything else as a record."""
        arrays = {name: value for name, value in vars(self).items() if name != "columns"}
        return arrays, {"columns": self.columns}

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> Self:
        """Return the object that :meth:`pack` was called on."""
        return cls(columns=[(benchmark, method) for benchmark, method in record["columns"]], **arrays)


def widen(scores: pd.DataFrame) -> pd.DataFrame:
    """Return scores with a row for each document and a column for each benchmark and method.

    Args:
        scores: ``doc_id``, ``benchmark``, ``method``, ``score``.
    """
    return scores.pivot(index="doc_id", columns=["benchmark", "method"], values="score")


def read_scores(table: LazyTable) -> pd.DataFrame:
    """Read the Ibis table ``document_scores`` as :func:`widen` would return it.

    One column at a time, because the ids of documents, benchmarks and methods in every row are larger than the scores.
    """
    import pandas as pd

    names = table.select("benchmark", "method").distinct().order_by("benchmark", "method").to_pyarrow().to_pylist()
    columns = {}
    for benchmark, method in (name.values() for name in names):
        rows = table.filter((table.benchmark == benchmark) & (table.method == method)).select("doc_id", "score")
        arrays = rows.to_pyarrow()
        index = pd.Index(arrays["doc_id"].to_numpy().astype(object), name="doc_id")
        columns[benchmark, method] = pd.Series(arrays["score"].to_numpy(), index=index).sort_index()
    return pd.concat(columns, axis=1, names=["benchmark", "method"]).sort_index()


def gather_scored(wide: pd.DataFrame, labels: pd.DataFrame) -> Scored:
    """Join scores and labels.

    Args:
        wide: Scores as :func:`widen` returns them.
        labels: ``doc_id``, ``topic``, ``format`` of these documents and possibly more. Optional columns:
            ``cluster_id`` where documents may depend on each other (without it, or where it is null,
            a document is a cluster of its own); ``bin_rank`` where the scored documents must be the
            first ones of each bin; ``n_chars``, ``topic_confidence`` and ``format_confidence``.

    Raises:
        AttributionError: If scores and labels are of different documents, or a score is not finite.
    """
    labelled = labels.set_index("doc_id")
    _refuse_unlabelled(wide.index, labelled.index)
    _refuse_unscored(wide.index, labelled)
    _refuse_gaps(wide)
    indices = {bin_: index for index, bin_ in enumerate(BINS)}
    scored_labels = labelled.loc[wide.index]
    ids = wide.index.to_numpy(object)
    clusters = (
        scored_labels["cluster_id"].to_numpy(object) if "cluster_id" in scored_labels else np.full(len(ids), None)
    )
    return Scored(
        ids=ids,
        columns=_columns(wide),
        scores=wide.to_numpy(float),
        bins=np.array(
            [indices[pair] for pair in zip(scored_labels["topic"], scored_labels["format"], strict=True)],
            dtype=np.int64,
        ),
        hashes=hash_names([name if isinstance(name, str) else id_ for name, id_ in zip(clusters, ids, strict=True)]),
        lengths=_column(scored_labels, "n_chars", 0.0),
        confidence=_column(scored_labels, "topic_confidence", 1.0) * _column(scored_labels, "format_confidence", 1.0),
    )


def check_blocks(scored: Scored, column: int, ids: np.ndarray, blocks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the block scores of a column in the order of the documents.

    Args:
        scored: Scored documents.
        column: Index of the column.
        ids: ``doc_id`` of each row of ``blocks``.
        blocks: Scores, shape (documents, blocks).
        weights: Share of the benchmark's queries that each block has, shape (blocks,).

    Raises:
        AttributionError: If the blocks are of other documents or queries than the scores.
    """
    benchmark, method = scored.columns[column]
    where, fix = f"block_scores of {benchmark!r} under {method!r}", "run the attribution pipeline again"
    order = np.argsort(ids, kind="stable")  # fast on ids that are in order already
    if len(ids) != len(scored.ids) or (ids[order] != scored.ids).any():
        raise AttributionError(
            f"{where} are of {len(ids)} documents ({_digest(ids)}), document_scores of {len(scored.ids)} "
            f"({_digest(scored.ids)}): they are of different runs, {fix}"
        )
    if blocks.shape[1] != len(weights):
        raise AttributionError(f"{where} have {blocks.shape[1]} blocks and its queries {len(weights)}: {fix}")
    blocks = blocks[order]
    score = scored.scores[:, column]
    wrong = ~(np.abs(blocks @ weights - score) <= TOLERANCE * np.abs(score).max(initial=0) + 1e-12)
    if wrong.any():
        raise AttributionError(
            f"{where}: those of document {scored.ids[wrong.argmax()]!r} have the mean "
            f"{(blocks @ weights)[wrong.argmax()]:.6g} and its score is {score[wrong.argmax()]:.6g}: "
            f"scores and blocks are of different runs, {fix}"
        )
    return blocks


def block_weights(queries: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return benchmark -> share of its queries that each block has.

    Args:
        queries: ``benchmark``, ``block`` of each item.
    """
    sizes = {str(name): np.bincount(items["block"]) for name, items in queries.groupby("benchmark")}
    return {name: items / items.sum() for name, items in sizes.items()}


def read_blocks(table: LazyTable, column: Column) -> tuple[np.ndarray, np.ndarray] | None:
    """Read the block scores of one column from the Ibis table ``block_scores``.

    One column at a time, because all block scores are many times larger than the scores.

    Returns:
        ``doc_id`` of each row, and scores as float32, shape (rows, blocks); None where the table has no such column.

    Raises:
        AttributionError: If documents have different numbers of blocks.
    """
    benchmark, method = column
    rows = (
        table.filter((table.benchmark == benchmark) & (table.method == method)).select("doc_id", "blocks").to_pyarrow()
    )
    if not rows.num_rows:
        return None
    lists = rows["blocks"].combine_chunks()
    lengths = set(np.diff(lists.offsets.to_numpy()).tolist())
    if len(lengths) > 1:
        raise AttributionError(
            f"block_scores of {benchmark!r} under {method!r}: documents have {min(lengths)} to {max(lengths)} blocks: "
            f"run the attribution pipeline again"
        )
    values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return rows["doc_id"].to_numpy().astype(object), values.reshape(rows.num_rows, lengths.pop())


def _column(labels: pd.DataFrame, name: str, unknown: float) -> np.ndarray:
    return labels[name].to_numpy(float) if name in labels else np.full(len(labels), unknown)


def _columns(wide: pd.DataFrame) -> list[Column]:
    levels = [wide.columns.get_level_values(level) for level in ("benchmark", "method")]
    return list(zip(*levels, strict=True))


def _digest(ids: Any) -> str:
    return f"digest {digest_of(sorted(map(str, ids)))[:12]}"


def _refuse_unlabelled(scored: pd.Index[Any], labelled: pd.Index[Any]) -> None:
    unlabelled = scored.difference(labelled)
    if len(unlabelled):
        raise AttributionError(
            f"document {unlabelled[0]!r} (and {len(unlabelled) - 1} more) has scores and is not in the working set: "
            f"scores ({_digest(scored)}) and labels ({_digest(labelled)}) are of different runs, run the attribution "
            f"pipeline again"
        )


def _refuse_unscored(scored: pd.Index[Any], labelled: pd.DataFrame) -> None:
    """Refuse a document without scores whose rank in its bin is among the scored ones."""
    if "bin_rank" not in labelled or not len(scored):
        return
    expected = labelled["bin_rank"] <= labelled.loc[scored, "bin_rank"].max()
    missing = labelled.index[expected].difference(scored)
    if len(missing):
        raise AttributionError(
            f"document {missing[0]!r} (and {len(missing) - 1} more) is in the working set and has no score, though "
            f"documents of its rank have: scores ({_digest(scored)}) and labels "
            f"({_digest(labelled.index[expected])}) are of different runs, run the attribution pipeline again"
        )


def _refuse_gaps(wide: pd.DataFrame) -> None:
    gaps = ~np.isfinite(wide.to_numpy(float))
    if gaps.any():
        row, column = next(zip(*gaps.nonzero(), strict=True))
        document, (benchmark, method) = wide.index[row], _columns(wide)[column]
        value = wide.to_numpy()[row, column]
        raise AttributionError(
            f"document {document!r} has no score for benchmark {benchmark!r} under {method!r} (it is {value}): "
            f"run the attribution pipeline again"
        )
