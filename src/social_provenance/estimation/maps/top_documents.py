"""The documents that a reader should look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COUNT = 10
EXCERPT_CHARS = 400


def top_documents(scores: pd.DataFrame, working_set: Any, method: str) -> pd.DataFrame:
    """Return the ten documents of highest score for each benchmark.

    Args:
        scores: Table ``document_scores``.
        working_set: Ibis table ``working_set``; only the chosen documents' texts are read.
        method: Whose scores.

    Returns:
        ``benchmark``, ``rank`` (from 1), ``doc_id``, ``topic``, ``format``, ``score``, ``url``,
        ``excerpt`` (the first characters of the text).
    """
    own = scores[scores["method"] == method].sort_values(["score", "doc_id"], ascending=[False, True])
    best = own.groupby("benchmark", sort=False).head(COUNT)[["benchmark", "doc_id", "score"]]
    chosen = working_set.filter(working_set.doc_id.isin(sorted(set(best["doc_id"]))))
    texts = chosen.select("doc_id", "topic", "format", "url", excerpt=chosen.text[:EXCERPT_CHARS]).to_pandas()
    table = best.merge(texts, on="doc_id").sort_values(["benchmark", "score", "doc_id"], ascending=[True, False, True])
    ranks = table.groupby("benchmark").cumcount() + 1
    columns = ["benchmark", "rank", "doc_id", "topic", "format", "score", "url", "excerpt"]
    return table.assign(rank=ranks)[columns].reset_index(drop=True)
