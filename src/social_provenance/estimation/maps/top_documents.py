"""The documents of highest score, for a reader to look at first."""

from __future__ import annotations

from social_provenance.annotations import LazyTable, Table

COUNT = 10
"""Documents of each benchmark."""
EXCERPT_CHARS = 400
"""Characters of a document's text that the table has."""


def pick_documents(scores: LazyTable, working_set: LazyTable, method: str) -> Table:
    """Return the ten documents of highest score for each benchmark.

    Args:
        scores: Table ``document_scores``.
        working_set: Table ``working_set``; only the texts of the chosen documents are read.
        method: Attribution method whose scores count.

    Returns:
        ``benchmark``, ``rank`` (from 1), ``doc_id``, ``topic``, ``format``, ``score``, ``url``,
        ``excerpt`` (the first characters of the text).
    """
    ranked = scores.filter(scores.method == method).to_pandas()
    ranked = ranked.sort_values(["score", "doc_id"], ascending=[False, True])
    best = ranked.groupby("benchmark", sort=False).head(COUNT)[["benchmark", "doc_id", "score"]]
    chosen = working_set.filter(working_set.doc_id.isin(sorted(set(best["doc_id"]))))
    texts = chosen.select("doc_id", "topic", "format", "url", excerpt=chosen.text[:EXCERPT_CHARS]).to_pandas()
    table = best.merge(texts, on="doc_id").sort_values(["benchmark", "score", "doc_id"], ascending=[True, False, True])
    ranks = table.groupby("benchmark").cumcount() + 1
    columns = ["benchmark", "rank", "doc_id", "topic", "format", "score", "url", "excerpt"]
    top: Table = table.assign(rank=ranks)[columns].reset_index(drop=True)
    return top
