"""Recall by TrackStar, which is cheap, and a new order of what it recalls by EK-FAC, which is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

RECALL, RERANK = "trackstar", "ekfac"


def rerank(scores: pd.DataFrame, doc_ids: list[str], share: float) -> dict[str, np.ndarray]:
    """Return benchmark -> place of each document in the order of both methods, 1 the first and 0 the last.

    The documents that the first method recalls come first, in the order of the second, then all others in the order of
    the first.

    Args:
        scores: ``doc_id``, ``benchmark``, ``method``, ``score`` of both methods.
        doc_ids: Documents in the order of the result.
        share: Share of the documents that is recalled, at least one.
    """
    found = {}
    for benchmark, own in scores.groupby("benchmark", sort=False):
        wide = own.pivot(index="doc_id", columns="method", values="score").loc[doc_ids]
        recalled = np.argsort(-wide[RECALL].to_numpy(), kind="stable")
        most = max(1, round(share * len(recalled)))
        again = recalled[:most][np.argsort(-wide[RERANK].to_numpy()[recalled[:most]], kind="stable")]
        order = np.concatenate([again, recalled[most:]])
        place = np.empty(len(order))
        place[order] = np.linspace(1, 0, len(order))
        found[str(benchmark)] = place
    return found
