"""What nulls find of the planted topics: the figures beside which those of the study are read."""

from __future__ import annotations

from social_provenance.annotations import LazyTable, Table
from social_provenance.miniature.recovery import areas_of_topics
from social_provenance.miniature.roles import mark_roles

KEY = ["variant", "method", "benchmark"]


def compare_nulls_with_truth(nulls: LazyTable, random_weights: LazyTable | None, truth: Table) -> Table:
    """Return how well the items and each null separate the planted topics of each benchmark from the others.

    Topics are ranked by the mean score of their documents, on queries of norm 1 for items and nulls alike. A null that
    reaches the area of the items shows that the area is no evidence of what the model has learned.

    Args:
        nulls: Table ``null_scores``.
        random_weights: Table ``random_weights_scores``; None where that null was not run.
        truth: Table ``miniature_truth``.

    Returns:
        ``variant`` (``items``, or the null), ``method``, ``benchmark``, ``topic_auc`` (planted topics against all the
        others but twins), ``decoy_auc`` and ``twin_auc`` (against decoys, and against twins; NaN without any).
    """
    import pandas as pd

    tables = [table.to_pandas() for table in (nulls, random_weights) if table is not None]
    scores = pd.concat(tables, ignore_index=True).merge(truth[["doc_id", "topic"]], on="doc_id")
    topics = scores.groupby([*KEY, "topic"], sort=False)["score"].mean().reset_index()
    topics["role"] = mark_roles(topics, truth)
    rows = []
    for key, own in topics.groupby(KEY, sort=False):
        rows.append({**dict(zip(KEY, key, strict=True)), **areas_of_topics(own["score"], own["role"])})
    return pd.DataFrame(rows)
