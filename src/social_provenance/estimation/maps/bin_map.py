"""Bin maps without intervals, for comparisons of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.errors import AttributionError
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import pandas as pd

MAP = ["benchmark", "method"]
BIN = ["topic", "format"]


def bin_map(scores: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the mean score of the documents of each bin, and its ``z``.

    Both are as in :func:`social_provenance.estimation.maps.aggregate.aggregate`: potency standardised
    over the bins that have documents (ddof 1).

    Args:
        scores: ``doc_id``, ``benchmark``, ``method``, ``score``.
        labels: ``doc_id``, ``topic``, ``format``, of these documents and perhaps more.

    Returns:
        ``benchmark``, ``method``, ``topic``, ``format``, ``n_documents``, ``potency``, ``z``: one row
        for each of the 576 bins of each benchmark and method, empty ones too (no documents, NaN).

    Raises:
        AttributionError: If a document has scores and no label.
    """
    import pandas as pd

    labelled = scores.merge(labels[["doc_id", *BIN]], on="doc_id", how="left", validate="many_to_one")
    unlabelled = labelled.loc[labelled["topic"].isna(), "doc_id"]
    if len(unlabelled):
        raise AttributionError(
            f"document {unlabelled.iloc[0]!r} has scores and is not in the working set: scores and labels are of "
            f"different runs, run this pipeline again"
        )
    bins = labelled.groupby([*MAP, *BIN], as_index=False)["score"].agg(n_documents="size", potency="mean")
    maps = scores[MAP].drop_duplicates()
    table = maps.merge(pd.DataFrame(BINS, columns=BIN), how="cross").merge(bins, on=[*MAP, *BIN], how="left")
    by_map = table.groupby(MAP)["potency"]
    spread = by_map.transform("std")
    z = (table["potency"] - by_map.transform("mean")) / spread.where(spread > 0, 1.0)
    return table.assign(n_documents=table["n_documents"].fillna(0).astype("int64"), z=z)
